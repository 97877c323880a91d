import { EPILOGUES, type Epilogue, functionsOf } from './epilogues.js';
import { MASK_UNIFORMS } from './mask.js';
import { type BufferKind, program, variants } from './program.js';

/**
 * Rows and columns of what a group makes, and of what an invocation of it makes. The larger, the more is done with a
 * number that is read; the smaller, the more groups there are.
 */
export const TILES = {
  wide: { tile: 128, part: 8 },
  large: { tile: 64, part: 4 },
  small: { tile: 16, part: 2 },
} as const;
export type TileSize = keyof typeof TILES;
/** How deep a group reaches at a time. */
export const DEPTH = 16;

/** What operands are rounded to; sums are of float32. */
export type Operands = 'float32' | 'float16';

/** How the tile of an operand lies in the memory that a group shares: vectors along the tile, one row for each step. */
function layoutOf(size: TileSize) {
  const { tile, part } = TILES[size];
  const width = Math.min(part, 4);
  const side = tile / part;
  // One vector more, so that a column of vectors lies in different banks.
  return { tile, part, width, side, group: side * side, blocks: part / width, pitch: tile / width + 1 };
}

/** Bytes that a group shares. */
export function sharedBytes(size: TileSize, operands: Operands): number {
  const { pitch, width } = layoutOf(size);
  return 2 * DEPTH * pitch * width * (operands === 'float16' ? 2 : 4);
}

/** The numbers below a count, and a line of a program for each. */
export const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
export const lines = (count: number, line: (i: number) => string): string =>
  range(count).map(line).join('\n');

/** Uniforms of a product. Group z takes the matrices that far apart, or its part of the depth. */
export const PRODUCT_UNIFORMS = {
  ...({ m: 'u32', n: 'u32', k: 'u32', aPitch: 'u32', bPitch: 'u32', cPitch: 'u32' } as const),
  ...({ aStart: 'u32', bStart: 'u32', cStart: 'u32', aBatch: 'u32', bBatch: 'u32', cBatch: 'u32' } as const),
  ...({ kPart: 'u32', kStep: 'u32', rowSumStep: 'u32' } as const),
  ...MASK_UNIFORMS,
} as const;

/** Buffers of a product. */
export const productBuffers = (epilogue: Epilogue, summed: boolean) =>
  ({
    ...{ a: 'numbers', b: 'numbers', c: 'numbersOut' },
    ...EPILOGUES[epilogue].buffers,
    ...(summed && { rowSums: 'floatsOut' }),
  }) as Record<string, BufferKind>;

/** The memory that a group shares for each operand. */
const SHARED = { a: 'tileA', b: 'tileB' } as const;

/** Of each operand: where it is stored, the place of an element, and which of its sides is that of the result. */
const OPERANDS = {
  a: { across: 'row', most: 'p.m', first: 'row0' },
  b: { across: 'column', most: 'p.n', first: 'column0' },
} as const;

/**
 * Reads the tile of an operand.
 *
 * @param alongDepth whether neighbours in memory are neighbours in depth; they are read by neighbouring invocations
 */
function readTile(name: 'a' | 'b', alongDepth: boolean, size: TileSize, scalar: string): string {
  const { tile, width, group, pitch } = layoutOf(size);
  const { first } = OPERANDS[name];
  const vectors = tile / width;
  const place = alongDepth
    ? `let d = e % ${DEPTH}u; let v = e / ${DEPTH}u;`
    : `let d = e / ${vectors}u; let v = e % ${vectors}u;`;
  const parts = range(width).map(
    (i) => `${name}At(begin.${name}, ${first} + v * ${width}u + ${i}u, k0 + d, last)`,
  );
  return lines(
    (vectors * DEPTH) / group,
    (load) => `    {
      let e = local + ${load * group}u;
      ${place}
      ${SHARED[name]}[d * ${pitch}u + v] = vec${width}<${scalar}>(${parts.join(', ')});
    }`,
  );
}

/** `aAt` or `bAt`: an element of an operand, 0 beyond its end. */
function elementOf(name: 'a' | 'b', alongDepth: boolean, operands: Operands): string {
  const { across, most } = OPERANDS[name];
  const place = alongDepth ? `${across} * p.${name}Pitch + k` : `k * p.${name}Pitch + ${across}`;
  const [scalar, read] = operands === 'float16' ? ['f16', 'half'] : ['f32', 'from'];
  return `
fn ${name}At(first: u32, ${across}: u32, k: u32, last: u32) -> ${scalar} {
  if (${across} >= ${most} || k >= last) { return 0.0; }
  return ${read}_${name}(first + ${place});
}`;
}

/**
 * c = a·b, [m, k]·[k, n], with a or b stored the other way round where `ta` or `tb` says so. A group makes a tile, each
 * invocation a square of it in registers; a sum adds up in the order of the depth.
 *
 * @param summed whether the sums of the rows of a are wanted, too
 */
export const productProgram = variants(
  (ta: boolean, tb: boolean, epilogue: Epilogue, size: TileSize, operands: Operands, summed: boolean) => {
    const { tile, part, width, side, group, blocks, pitch } = layoutOf(size);
    const { store } = EPILOGUES[epilogue];
    const scalar = operands === 'float16' ? 'f16' : 'f32';
    const rows = range(part);
    const cells = rows.flatMap((r) => range(blocks).map((q) => `s${r}_${q}`));
    const read = (name: 'a' | 'b', at: string) =>
      lines(
        blocks,
        (q) => `      let ${name}${q} = vec${width}<f32>(${SHARED[name]}[base + ${q * side}u + ${at}]);`,
      );
    const step = rows
      .flatMap((r) =>
        range(blocks).map(
          (q) => `      s${r}_${q} += a${Math.floor(r / width)}.${'xyzw'[r % width]} * b${q};`,
        ),
      )
      .join('\n');
    return program(
      productBuffers(epilogue, summed),
      PRODUCT_UNIFORMS,
      `${functionsOf(epilogue)}
var<workgroup> ${SHARED.a}: array<vec${width}<${scalar}>, ${DEPTH * pitch}>;
var<workgroup> ${SHARED.b}: array<vec${width}<${scalar}>, ${DEPTH * pitch}>;
struct From { a: u32, b: u32 }${elementOf('a', !ta, operands)}${elementOf('b', tb, operands)}
@compute @workgroup_size(${group})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let row0 = group.y * ${tile}u;
  let column0 = group.x * ${tile}u;
  let tx = local % ${side}u;
  let ty = local / ${side}u;
  let begin = From(p.aStart + group.z * p.aBatch, p.bStart + group.z * p.bBatch);
  let start = group.z * p.kStep;
  let last = min(p.k, start + p.kPart);
${cells.map((cell) => `  var ${cell} = vec${width}<f32>();`).join('\n')}
${summed ? lines(blocks, (q) => `  var ofRows${q} = vec${width}<f32>();`) : ''}
  for (var k0 = start; k0 < last; k0 += ${DEPTH}u) {
${readTile('a', !ta, size, scalar)}
${readTile('b', tb, size, scalar)}
    workgroupBarrier();
    for (var d = 0u; d < ${DEPTH}u; d++) {
      let base = d * ${pitch}u;
${read('a', 'ty')}
${read('b', 'tx')}
${step}
${summed ? `      if (group.x == 0u) {\n${lines(blocks, (q) => `        ofRows${q} += a${q};`)}\n      }` : ''}
    }
    workgroupBarrier();
  }
  var sums = array<vec${width}<f32>, ${cells.length}>(${cells.join(', ')});
${summed ? `  var ofRows = array<vec${width}<f32>, ${blocks}>(${range(blocks).map((q) => `ofRows${q}`)});` : ''}
  for (var r = 0u; r < ${part}u; r++) {
    let row = row0 + r / ${width}u * ${side * width}u + ty * ${width}u + r % ${width}u;
    if (row >= p.m) { continue; }
${summed ? `    if (group.x == 0u && tx == 0u) { rowSums[group.z * p.rowSumStep + row] = ofRows[r / ${width}u][r % ${width}u]; }` : ''}
    for (var s = 0u; s < ${part}u; s++) {
      let column = column0 + s / ${width}u * ${side * width}u + tx * ${width}u + s % ${width}u;
      if (column >= p.n) { continue; }
      let i = p.cStart + group.z * p.cBatch + row * p.cPitch + column;
      let sum = sums[r * ${blocks}u + s / ${width}u][s % ${width}u];
      ${store}
    }
  }
}`,
      { half: operands === 'float16' },
    );
  },
);
