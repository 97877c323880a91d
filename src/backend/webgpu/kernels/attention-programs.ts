import { BLOCK_INTS, type Block } from '../attention-blocks.js';
import { MASK, MASK_UNIFORMS } from '../mask.js';
import { type BufferKind, LEAST, POWERS, program, variants } from '../program.js';

/* Programs of attention. A group of n by n has n queries and goes over their keys n at a time, or the other way round:
   invocation (i, j) has the score of query i and key j, and columns j, j + n, … of row i of what is summed. */

/** Columns of a head that are in shared memory at a time. */
const SLICE = 32;

const U32 = 'u32' as const;
const UNIFORMS = {
  ...{ blocks: U32, heads: U32, headWidth: U32, causal: U32, stride: U32, width: U32 },
  ...{ qPitch: U32, qColumn: U32, kPitch: U32, kColumn: U32, vPitch: U32, vColumn: U32 },
  ...({ scale: 'f32', places: 'indices' } as const),
  ...MASK_UNIFORMS,
};

const shared = (block: Block) => `
var<workgroup> left: array<f32, ${block * (SLICE + 1)}>;
var<workgroup> right: array<f32, ${block * (SLICE + 1)}>;
var<workgroup> cells: array<f32, ${block * block}>;
fn maskAt(row: u32, head: u32, key: u32) -> f32 {
  let x = (row * p.heads + head) * (p.stride / 4u) + key / 4u;
  return masks(x)[key % 4u];
}`;

/** Of a group: its rows and the other side, as blocksOf has them; `head`; `i` and `j`. */
const head = (block: Block) => `
@compute @workgroup_size(${block * block})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let block = group.y * groups.x + group.x;
  if (block >= p.blocks) { return; }
  let head = group.z;
  let base = p.places + block * ${BLOCK_INTS}u;
  let first = at(base); let end = at(base + 1u); let start = at(base + 2u);
  let otherStart = at(base + 3u); let otherEnd = at(base + 4u);
  let i = local / ${block}u;
  let j = local % ${block}u;
  let column0 = head * p.headWidth;`;

/** Loads a slice of 16 rows of a buffer into shared memory, zeros beyond the end. */
const load = (
  block: Block,
  target: string,
  buffer: string,
  row: string,
  end: string,
  pitch: string,
  column: string,
) => `
    for (var e = local; e < ${block * SLICE}u; e += ${block * block}u) {
      let r = e / ${SLICE}u; let c = e % ${SLICE}u;
      var value = 0.0;
      if (${row} + r < ${end} && slice + c < p.headWidth) {
        value = from_${buffer}((${row} + r) * ${pitch} + ${column} + column0 + slice + c);
      }
      ${target}[r * ${SLICE + 1}u + c] = value;
    }`;

/** Adds to `sum` the product of rows of two buffers, row i of the left and j of the right, slice by slice. */
const dot = (sum: string, loadLeft: string, loadRight: string, l = 'i', r = 'j') => `
  for (var slice = 0u; slice < p.headWidth; slice += ${SLICE}u) {
    workgroupBarrier();${loadLeft}${loadRight}
    workgroupBarrier();
    for (var c = 0u; c < ${SLICE}u; c++) { ${sum} += left[${l} * ${SLICE + 1}u + c] * right[${r} * ${SLICE + 1}u + c]; }
  }`;

/** Adds to `sums[n]` Σ cells(i, ·)·rows of a buffer, in columns j + 16·n. */
const mix = (block: Block, sums: string, columns: number, loadRight: string) => `
  for (var slice = 0u; slice < p.headWidth; slice += ${SLICE}u) {
    workgroupBarrier();${loadRight}
    workgroupBarrier();
    for (var part = 0u; part < ${SLICE / block}u; part++) {
      let n = slice / ${block}u + part;
      if (n < ${columns}u) {
        var sum = 0.0;
        for (var t = 0u; t < ${block}u; t++) {
          sum += cells[i * ${block}u + t] * right[t * ${SLICE + 1}u + part * ${block}u + j];
        }
        ${sums}[n] += sum;
      }
    }
  }`;

const store = (
  block: Block,
  sums: string,
  columns: number,
  buffer: string,
  pitch: string,
  column: string,
  factor: string,
) => `
  if (first + i < end) {
    for (var n = 0u; n < ${columns}u; n++) {
      let c = j + n * ${block}u;
      if (c < p.headWidth) { to_${buffer}((first + i) * ${pitch} + ${column} + column0 + c, ${sums}[n] * ${factor}); }
    }
  }`;

/** Whether the query of a cell may see its key; both are numbered within their sentences. */
const SEES = (query: string, key: string) => `(p.causal == 0u || ${key} <= ${query})`;

/** @param columns of a head, in parts of a block */
export const forwardProgram = variants((block: Block, columns: number) =>
  program(
    { q: 'numbers', k: 'numbers', v: 'numbers', out: 'numbersOut', perHead: 'floatsOut' },
    UNIFORMS,
    `${MASK}${POWERS}${shared(block)}${head(block)}
  let query = first - start + i;
  var sums: array<f32, ${columns}>;
  var top = ${LEAST};
  var total = 0.0;
  var last = otherEnd;
  if (p.causal != 0u) { last = min(otherEnd, otherStart + first - start + ${block}u); }
  for (var key0 = otherStart; key0 < last; key0 += ${block}u) {
    let key = key0 - otherStart + j;
    var score = 0.0;${dot(
      'score',
      load(block, 'left', 'q', 'first', 'end', 'p.qPitch', 'p.qColumn'),
      load(block, 'right', 'k', 'key0', 'otherEnd', 'p.kPitch', 'p.kColumn'),
    )}
    score *= p.scale;
    let seen = key0 + j < otherEnd && ${SEES('query', 'key')};
    workgroupBarrier();
    cells[local] = select(${LEAST}, score, seen);
    workgroupBarrier();
    var highest = top;
    for (var t = 0u; t < ${block}u; t++) { let x = cells[i * ${block}u + t]; highest = select(highest, x, x > highest); }
    let shrink = exp(top - highest);
    top = highest;
    var weight = 0.0;
    if (seen) { weight = powerOf(score, top); }
    workgroupBarrier();
    cells[local] = weight;
    workgroupBarrier();
    total *= shrink;
    for (var t = 0u; t < ${block}u; t++) { total += cells[i * ${block}u + t]; }
    if (p.maskThreshold != 0u) {
      workgroupBarrier();
      cells[local] = weight * maskAt(first + i, head, key);
    }
    for (var n = 0u; n < ${columns}u; n++) { sums[n] *= shrink; }${mix(
      block,
      'sums',
      columns,
      load(block, 'right', 'v', 'key0', 'otherEnd', 'p.vPitch', 'p.vColumn'),
    )}
  }${store(block, 'sums', columns, 'out', 'p.width', '0u', '(1.0 / total)')}
  if (first + i < end && j == 0u) { perHead[(first + i) * p.heads + head] = top + logOf(total); }
}`,
  ),
);

/** Of the cell (query, key): the weight under its mask, and the gradient of the score. */
const CELL = (query: string, logPartition: string, delta: string) => `
    var kept = 0.0;
    var slope = 0.0;
    if (seen) {
      let weight = powerOf(score * p.scale, ${logPartition});
      let m = maskAt(${query}, head, key);
      kept = weight * m;
      slope = weight * (change * m - ${delta}) * p.scale;
    }`;

/**
 * It also writes Σ dy·out of each query and head, which the gradients of the keys need, `apart` floats behind the logarithm
 * of its partition function.
 */
export const queryGradientProgram = variants((block: Block, columns: number) =>
  program(
    {
      ...{ q: 'numbers', k: 'numbers', v: 'numbers', dy: 'numbers', out: 'numbers' },
      ...({ perHead: 'floatsOut', dq: 'numbersOut' } as const),
    } as Record<'q' | 'k' | 'v' | 'dy' | 'out' | 'perHead' | 'dq', BufferKind>,
    { ...UNIFORMS, apart: U32 },
    `${MASK}${POWERS}${shared(block)}${head(block)}
  let query = first - start + i;
  var product = 0.0;
  var logPartition = 0.0;
  if (first + i < end) {
    for (var c = j; c < p.headWidth; c += ${block}u) {
      let e = (first + i) * p.width + column0 + c;
      product += from_dy(e) * from_out(e);
    }
    logPartition = perHead[(first + i) * p.heads + head];
  }
  cells[local] = product;
  workgroupBarrier();
  var delta = 0.0;
  for (var t = 0u; t < ${block}u; t++) { delta += cells[i * ${block}u + t]; }
  if (first + i < end && j == 0u) { perHead[p.apart + (first + i) * p.heads + head] = delta; }
  var sums: array<f32, ${columns}>;
  var last = otherEnd;
  if (p.causal != 0u) { last = min(otherEnd, otherStart + first - start + ${block}u); }
  for (var key0 = otherStart; key0 < last; key0 += ${block}u) {
    let key = key0 - otherStart + j;
    var score = 0.0;${dot(
      'score',
      load(block, 'left', 'q', 'first', 'end', 'p.qPitch', 'p.qColumn'),
      load(block, 'right', 'k', 'key0', 'otherEnd', 'p.kPitch', 'p.kColumn'),
    )}
    var change = 0.0;${dot(
      'change',
      load(block, 'left', 'dy', 'first', 'end', 'p.width', '0u'),
      load(block, 'right', 'v', 'key0', 'otherEnd', 'p.vPitch', 'p.vColumn'),
    )}
    let seen = first + i < end && key0 + j < otherEnd && ${SEES('query', 'key')};${CELL('(first + i)', 'logPartition', 'delta')}
    workgroupBarrier();
    cells[local] = slope;${mix(block, 'sums', columns, load(block, 'right', 'k', 'key0', 'otherEnd', 'p.kPitch', 'p.kColumn'))}
  }${store(block, 'sums', columns, 'dq', 'p.qPitch', 'p.qColumn', '1.0')}
}`,
  ),
);

/** Row i is a key here, j a query. @param together whether the gradients of keys and values are columns of one tensor */
export const keyGradientProgram = variants((block: Block, columns: number, together: boolean) =>
  program(
    {
      ...{ q: 'numbers', k: 'numbers', v: 'numbers', dy: 'numbers', perHead: 'floats', dk: 'numbersOut' },
      ...(together ? {} : { dv: 'numbersOut' }),
    } as Record<'q' | 'k' | 'v' | 'dy' | 'perHead' | 'dk' | 'dv', BufferKind>,
    { ...UNIFORMS, apart: U32 },
    `${MASK}${POWERS}${shared(block)}${head(block)}
  let key = first - start + i;
  var dKey: array<f32, ${columns}>;
  var dValue: array<f32, ${columns}>;
  var query0 = otherStart;
  if (p.causal != 0u) { query0 += (first - start) / ${block}u * ${block}u; }
  for (; query0 < otherEnd; query0 += ${block}u) {
    let query = query0 - otherStart + j;
    var score = 0.0;${dot(
      'score',
      load(block, 'left', 'k', 'first', 'end', 'p.kPitch', 'p.kColumn'),
      load(block, 'right', 'q', 'query0', 'otherEnd', 'p.qPitch', 'p.qColumn'),
    )}
    var change = 0.0;${dot(
      'change',
      load(block, 'left', 'v', 'first', 'end', 'p.vPitch', 'p.vColumn'),
      load(block, 'right', 'dy', 'query0', 'otherEnd', 'p.width', '0u'),
    )}
    let seen = first + i < end && query0 + j < otherEnd && ${SEES('query', 'key')};
    let pair = (query0 + j) * p.heads + head;${CELL('(query0 + j)', 'perHead[pair]', 'perHead[p.apart + pair]')}
    workgroupBarrier();
    cells[local] = kept;${mix(block, 'dValue', columns, load(block, 'right', 'dy', 'query0', 'otherEnd', 'p.width', '0u'))}
    workgroupBarrier();
    cells[local] = slope;${mix(block, 'dKey', columns, load(block, 'right', 'q', 'query0', 'otherEnd', 'p.qPitch', 'p.qColumn'))}
  }${store(block, 'dKey', columns, 'dk', 'p.kPitch', 'p.kColumn', '1.0')}${store(
    block,
    'dValue',
    columns,
    together ? 'dk' : 'dv',
    'p.vPitch',
    'p.vColumn',
    '1.0',
  )}
}`,
  ),
);
