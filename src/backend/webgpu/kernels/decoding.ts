import { tf } from '../../../ops/tf.js';
import type { WebGpuBackend } from '../backend.js';
import { multiply } from '../gemm.js';
import { ELEMENT, LEAST, MOST, POWERS, program, ROW, ROW_GROUP, SUM, variants } from '../program.js';
import { fill, move } from '../strided.js';
import { windowsOf } from '../windows.js';
import type { Implementations } from './call.js';

/** Some rows, in the order of a list, one under another. */
const GATHER = program(
  { x: 'floats', y: 'floatsOut' },
  { count: 'u32', width: 'u32', pitch: 'u32', column: 'u32', rows: 'indices' },
  `${ELEMENT}
  y[i] = x[at(p.rows + i / p.width) * p.pitch + p.column + i % p.width];
}`,
);

/** A group for each query and head: the keys that it sees 64 at a time, and columns of the values beside each other. */
const attentionProgram = variants((columns: number) =>
  program(
    { q: 'floats', k: 'floats', v: 'floats', out: 'floatsOut' },
    {
      ...{ rows: 'u32', heads: 'u32', headWidth: 'u32', width: 'u32', pitch: 'u32', column: 'u32' },
      ...({ scale: 'f32', places: 'indices', offsets: 'indices' } as const),
    },
    `${SUM}${MOST}${POWERS}
var<workgroup> weights: array<f32, ${ROW_GROUP}>;${ROW}
  let query = row / p.heads;
  let column0 = row % p.heads * p.headWidth;
  let start = query * p.pitch + p.column + column0;
  let last = at(p.offsets + query + 1u);
  var sums: array<f32, ${columns}>;
  var top = ${LEAST};
  var total = 0.0;
  for (var first = at(p.offsets + query); first < last; first += ${ROW_GROUP}u) {
    let there = min(${ROW_GROUP}u, last - first);
    var score = ${LEAST};
    if (local < there) {
      let key = at(p.places + first + local) * p.width + column0;
      var product = 0.0;
      for (var c = 0u; c < p.headWidth; c++) { product += q[start + c] * k[key + c]; }
      score = product * p.scale;
    }
    let highest = mostOf(select(top, score, score > top), local);
    let shrink = exp(top - highest);
    top = highest;
    var weight = 0.0;
    if (local < there) { weight = powerOf(score, top); }
    weights[local] = weight;
    total = total * shrink + sumOf(weight, local);
    for (var n = 0u; n < ${columns}u; n++) {
      let c = local + n * ${ROW_GROUP}u;
      var sum = sums[n] * shrink;
      if (c < p.headWidth) {
        for (var j = 0u; j < there; j++) { sum += weights[j] * v[at(p.places + first + j) * p.width + column0 + c]; }
      }
      sums[n] = sum;
    }
    workgroupBarrier();
  }
  for (var n = 0u; n < ${columns}u; n++) {
    let c = local + n * ${ROW_GROUP}u;
    if (c < p.headWidth) { out[query * p.width + column0 + c] = sums[n] / total; }
  }
}`,
  ),
);

/**
 * Each pass over a row finds the best of what stands behind the one that was found before, by an integer that is in the
 * order of the floats, what is no number last; of equals the lower id.
 */
const TOP = program(
  { logits: 'floats', ids: 'intsOut', logProbs: 'floatsOut', ofAsked: 'floatsOut' },
  { rows: 'u32', width: 'u32', k: 'u32', asked: 'u32', forbidden: 'u32', forbid: 'indices' },
  `${SUM}${MOST}${POWERS}
var<workgroup> bestKeys: array<u32, ${ROW_GROUP}>;
var<workgroup> bestIds: array<u32, ${ROW_GROUP}>;
fn keyOf(x: f32) -> u32 {
  var bits = bitcast<u32>(x);
  if ((bits & 0x7fffffffu) == 0u) { bits = 0u; }
  if ((bits & 0x7fffffffu) > 0x7f800000u) { return 0u; }
  return select(bits | 0x80000000u, ~bits, (bits & 0x80000000u) != 0u);
}
fn allowed(id: u32) -> bool {
  for (var i = 0u; i < p.forbidden; i++) { if (at(p.forbid + i) == id) { return false; } }
  return true;
}${ROW}
  let start = row * p.width;
  var top = ${LEAST};
  for (var c = local; c < p.width; c += ${ROW_GROUP}u) { let z = logits[start + c]; top = select(top, z, z > top); }
  top = mostOf(top, local);
  var sum = 0.0;
  for (var c = local; c < p.width; c += ${ROW_GROUP}u) { sum += powerOf(logits[start + c], top); }
  let logPartition = top + logOf(sumOf(sum, local));
  if (local == 0u) { ofAsked[row] = logits[start + p.asked] - logPartition; }
  var lastKey = 0xffffffffu;
  var lastId = 0u;
  for (var n = 0u; n < p.k; n++) {
    var key = 0u;
    var id = 0xffffffffu;
    for (var c = local; c < p.width; c += ${ROW_GROUP}u) {
      let x = keyOf(logits[start + c]);
      let behind = x < lastKey || (x == lastKey && c > lastId);
      if (behind && (id == 0xffffffffu || x > key) && allowed(c)) { key = x; id = c; }
    }
    bestKeys[local] = key;
    bestIds[local] = id;
    workgroupBarrier();
    for (var other = 0u; other < ${ROW_GROUP}u; other++) {
      let x = bestKeys[other];
      let c = bestIds[other];
      if (c != 0xffffffffu && (id == 0xffffffffu || x > key || (x == key && c < id))) { key = x; id = c; }
    }
    workgroupBarrier();
    lastKey = key;
    lastId = id;
    let found = select(id, 0u, id == 0xffffffffu);
    if (local == 0u) {
      ids[row * p.k + n] = i32(found);
      logProbs[row * p.k + n] = logits[start + found] - logPartition;
    }
  }
}`,
);

const PICK = program(
  { x: 'floats', y: 'floatsOut' },
  {
    ...{ count: 'u32', width: 'u32', size: 'u32', none: 'f32' },
    ...({ columns: 'indices', offsets: 'indices', lists: 'indices' } as const),
  },
  `${ELEMENT}
  let row = i / p.width;
  let list = at(p.lists + row);
  let j = at(p.offsets + list) + i % p.width;
  var value = p.none;
  if (j < at(p.offsets + list + 1u)) { value = x[row * p.size + at(p.columns + j)]; }
  y[i] = value;
}`,
);

/** No bias, for activations, which come behind one. */
function zeros(backend: WebGpuBackend, size: number): number {
  const buffer = backend.allocate(size);
  fill(backend, buffer, size, 0);
  return buffer;
}

export const DECODING = {
  PackWeight: ({ inputs, backend }) => {
    const packed = backend.largeOutput(inputs.weight!.shape);
    const bytes = 4 * tf.util.sizeFromShape(packed.shape);
    backend.encoder.copy(backend.bufferOf(inputs.weight!), backend.bufferOf(packed), bytes);
    return [packed];
  },

  PackedLinear: ({ inputs, attributes: { out, activation }, backend }) => {
    const [rows, width] = inputs.x!.shape;
    const y = backend.output([rows, out]);
    const given = inputs.bias === undefined ? null : backend.floats(inputs.bias);
    const bias = given ?? zeros(backend, out);
    const x = backend.floats(inputs.x!);
    for (const { buffer, first, rows: n } of windowsOf(backend, inputs.packed!)) {
      const part = n === out ? bias : backend.encoder.view(bias, 4 * first, 4 * n);
      multiply(backend, {
        ...{ a: { buffer: x, pitch: width }, b: { buffer, pitch: width }, transposeB: true },
        ...{ c: { buffer: y.buffer, start: first, pitch: out }, m: rows, n, k: width },
        ...{ epilogue: activation === 'gelu' ? 'geluAlone' : (activation ?? 'bias'), beside: { bias: part } },
      });
    }
    if (given === null) backend.pool.give(bias);
    return [y.info];
  },

  StoreRows: ({ inputs, attributes: { column, first, from }, backend }) => {
    const [there, pitch] = inputs.rows!.shape;
    const [, width] = inputs.stored!.shape;
    const to = { buffer: backend.floats(inputs.stored!), start: first * width, strides: [width, 1] };
    const source = backend.floats(inputs.rows!);
    if (from === null) {
      move(backend, [there, width], { buffer: source, start: column, strides: [pitch, 1] }, to);
      return [];
    }
    const wrong = from.find((row) => row < 0 || row >= there);
    if (wrong !== undefined) throw new RangeError(`expected a row below ${there}, found ${wrong}`);
    // They may be rows of the store itself, which is not both read and written.
    const count = from.length * width;
    const rows = backend.allocate(count);
    const uniforms = { count, width, pitch, column, rows: from };
    backend.run(GATHER, { x: source, y: rows }, uniforms, backend.elements(count));
    move(backend, [from.length, width], { buffer: rows, start: 0, strides: [width, 1] }, to);
    backend.pool.give(rows);
    return [];
  },

  GrowRows: ({ inputs, attributes: { size }, backend }) => {
    const [there, width] = inputs.rows!.shape;
    const rows = { buffer: backend.floats(inputs.rows!), start: 0, strides: [width, 1] };
    const out = backend.output([size, width]);
    move(backend, [there, width], rows, { buffer: out.buffer, start: 0, strides: [width, 1] });
    return [out.info];
  },

  CachedAttention: ({ inputs, attributes: { heads, column, places, offsets }, backend }) => {
    const [rows, pitch] = inputs.queries!.shape;
    const [, width] = inputs.keys!.shape;
    const headWidth = width / heads;
    const out = backend.output([rows, width]);
    const [q, k, v] = [inputs.queries!, inputs.keys!, inputs.values!].map((tensor) => backend.floats(tensor));
    const scale = 1 / Math.sqrt(headWidth);
    backend.run(
      attentionProgram(Math.ceil(headWidth / ROW_GROUP)),
      { q, k, v, out: out.buffer },
      { rows: rows * heads, heads, headWidth, width, pitch, column, scale, places, offsets },
      backend.fold(rows * heads),
    );
    return [out.info];
  },

  TopLogProbs: ({ inputs, attributes: { k, forbid, asked }, backend }) => {
    const [rows, width] = inputs.logits!.shape;
    const logits = backend.floats(inputs.logits!);
    const shape = [rows * k];
    const { infos } = backend.outputsTogether([{ shape, dtype: 'int32' }, { shape }, { shape: [rows] }], {
      readTogether: true,
    });
    const [ids, logProbs, ofAsked] = infos.map((info) => backend.bufferOf(info));
    backend.run(
      TOP,
      { logits, ids, logProbs, ofAsked },
      { rows, width, k, asked, forbidden: forbid.length, forbid },
      backend.fold(rows),
    );
    return infos;
  },

  PickColumns: ({ inputs, attributes: { columns, offsets, rows, width }, backend }) => {
    const [, size] = inputs.x!.shape;
    const x = backend.floats(inputs.x!);
    const out = backend.output([rows.length, width]);
    const count = rows.length * width;
    backend.run(
      PICK,
      { x, y: out.buffer },
      { count, width, size, none: Number.NEGATIVE_INFINITY, columns, offsets, lists: rows },
      backend.elements(count),
    );
    return [out.info];
  },
} satisfies Partial<Implementations>;
