import { EPILOGUES, type Epilogue, functionsOf } from './epilogues.js';
import { lines, PRODUCT_UNIFORMS, productBuffers, range, TILES } from './product-program.js';
import { program, variants } from './program.js';
import type { MatrixUnit } from './protocol.js';

/*
 * Products by the matrix units of a card, of float16 with float32 sums: a subgroup multiplies small matrices of a size that
 * the card has, m × k by k × n. The extension is an experiment of Dawn's, chromium-experimental-subgroup-matrix.
 */

/** Rows and columns of the tile of a group that each of its subgroups makes. */
const BLOCKS = {
  wide: { rows: 64, columns: 32 },
  large: { rows: 32, columns: 32 },
} as const;
export type MatrixTileSize = keyof typeof BLOCKS;
/** How deep a group reaches at a time. */
const DEPTH = 32;
/** Numbers between rows of shared memory, so that they lie in different banks. */
const GAP = 8;

/** Invocations of a group that every device has. */
const INVOCATIONS = 256;

/** Whether tiles can be made of such matrices. */
export function fits(size: MatrixTileSize, unit: MatrixUnit): boolean {
  const { rows, columns, group } = layoutOf(size, unit);
  return rows % unit.m === 0 && columns % unit.n === 0 && DEPTH % unit.k === 0 && group <= INVOCATIONS;
}

function layoutOf(size: MatrixTileSize, { subgroup }: MatrixUnit) {
  const { tile } = TILES[size];
  const { rows, columns } = BLOCKS[size];
  const across = tile / columns;
  const subgroups = across * (tile / rows);
  return { tile, rows, columns, across, subgroups, group: subgroups * subgroup };
}

/** Bytes that a group shares: the tiles of both operands, and a small matrix of each subgroup on its way out. */
export function matrixSharedBytes(size: MatrixTileSize, unit: MatrixUnit): number {
  const { tile, subgroups } = layoutOf(size, unit);
  return 2 * 2 * spanOf(tile) + 4 * subgroups * unit.m * unit.n;
}

/** Numbers of the tile of an operand, whichever way it lies. */
const spanOf = (tile: number): number => Math.max(tile * (DEPTH + GAP), DEPTH * (tile + GAP));

/** Of each operand: which of its sides is that of the result. */
const OPERANDS = {
  a: { across: 'row', most: 'p.m', first: 'row0', shared: 'tileA' },
  b: { across: 'column', most: 'p.n', first: 'column0', shared: 'tileB' },
} as const;

/** Reads the tile of an operand; it lies in shared memory as it does in its buffer, so that neighbours read neighbours. */
function readTile(name: 'a' | 'b', alongDepth: boolean, tile: number, group: number): string {
  const { across, most, first, shared } = OPERANDS[name];
  const [inner, pitch] = alongDepth ? [DEPTH, DEPTH + GAP] : [tile, tile + GAP];
  const [side, depth] = alongDepth ? ['outer', 'inner'] : ['inner', 'outer'];
  const place = alongDepth ? `${across} * p.${name}Pitch + k` : `k * p.${name}Pitch + ${across}`;
  return `    for (var e = local; e < ${tile * DEPTH}u; e += ${group}u) {
      let outer = e / ${inner}u;
      let inner = e % ${inner}u;
      let ${across} = ${first} + ${side};
      let k = k0 + ${depth};
      var value = f16(0.0);
      if (${across} < ${most} && k < last) { value = half_${name}(${name}First + ${place}); }
      ${shared}[outer * ${pitch}u + inner] = value;
    }`;
}

/** As `productProgram`, with the same uniforms. */
export const matrixProgram = variants(
  (
    ...[ta, tb, epilogue, size, summed, m, n, k, subgroup]: [
      ...[ta: boolean, tb: boolean, epilogue: Epilogue, size: MatrixTileSize, summed: boolean],
      ...[m: number, n: number, k: number, subgroup: number],
    ]
  ) => {
    const { tile, rows, columns, across, subgroups, group } = layoutOf(size, { m, n, k, subgroup });
    const { store } = EPILOGUES[epilogue];
    const [down, along] = [rows / m, columns / n];
    const sums = range(down).flatMap((r) => range(along).map((c) => ({ r, c, name: `sum${r}_${c}` })));
    const load = (
      kind: 'left' | 'right',
      shared: string,
      side: string,
      step: number,
      alongDepth: boolean,
    ) => {
      const type = kind === 'left' ? `left<f16, ${k}, ${m}>` : `right<f16, ${n}, ${k}>`;
      const pitch = alongDepth ? DEPTH + GAP : tile + GAP;
      const place = alongDepth ? `(${side}) * ${pitch}u + ${step}u` : `${step * pitch}u + ${side}`;
      // A row of the left matrix goes along the depth, a row of the right one across it.
      const major = (kind === 'left') === alongDepth ? 'row_major' : 'col_major';
      return `subgroupMatrixLoad<subgroup_matrix_${type}, ${major}>(&${shared}, ${place}, ${pitch}u)`;
    };
    const ownRows = Math.ceil(tile / group);
    return program(
      productBuffers(epilogue, summed),
      PRODUCT_UNIFORMS,
      `${functionsOf(epilogue)}
var<workgroup> tileA: array<f16, ${spanOf(tile)}>;
var<workgroup> tileB: array<f16, ${spanOf(tile)}>;
var<workgroup> out: array<f32, ${subgroups * m * n}>;
fn finish(row: u32, column: u32, batch: u32, sum: f32) {
  if (row >= p.m || column >= p.n) { return; }
  let i = p.cStart + batch * p.cBatch + row * p.cPitch + column;
  ${store}
}
@compute @workgroup_size(${group})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32,
        @builtin(subgroup_size) size: u32) {
  let row0 = group.y * ${tile}u;
  let column0 = group.x * ${tile}u;
  let aFirst = p.aStart + group.z * p.aBatch;
  let bFirst = p.bStart + group.z * p.bBatch;
  let start = group.z * p.kStep;
  let last = min(p.k, start + p.kPart);
  // Where subgroups are smaller than the largest that there may be, there are some to spare.
  let mine = local / size;
  let works = mine < ${subgroups}u;
  let blockRow = mine / ${across}u * ${rows}u;
  let blockColumn = mine % ${across}u * ${columns}u;
${sums.map(({ name }) => `  var ${name} = subgroup_matrix_result<f32, ${n}, ${m}>();`).join('\n')}
${summed ? `  var ofRows: array<f32, ${ownRows}>;` : ''}
  for (var k0 = start; k0 < last; k0 += ${DEPTH}u) {
${readTile('a', !ta, tile, group)}
${readTile('b', tb, tile, group)}
    workgroupBarrier();
    if (works) {
${lines(
  DEPTH / k,
  (step) => `      {
${lines(down, (r) => `        let a${r} = ${load('left', 'tileA', `blockRow + ${r * m}u`, step * k, !ta)};`)}
${lines(along, (c) => `        let b${c} = ${load('right', 'tileB', `blockColumn + ${c * n}u`, step * k, tb)};`)}
${sums.map(({ r, c, name }) => `        ${name} = subgroupMatrixMultiplyAccumulate(a${r}, b${c}, ${name});`).join('\n')}
      }`,
)}
    }
${
  summed
    ? `    if (group.x == 0u) {
      for (var own = 0u; own < ${ownRows}u; own++) {
        let r = local + own * ${group}u;
        if (r < ${tile}u) {
          for (var d = 0u; d < ${DEPTH}u; d++) {
            ofRows[own] += f32(tileA[${ta ? `d * ${tile + GAP}u + r` : `r * ${DEPTH + GAP}u + d`}]);
          }
        }
      }
    }`
    : ''
}
    workgroupBarrier();
  }
${
  summed
    ? `  if (group.x == 0u) {
    for (var own = 0u; own < ${ownRows}u; own++) {
      let r = local + own * ${group}u;
      if (r < ${tile}u && row0 + r < p.m) { rowSums[group.z * p.rowSumStep + row0 + r] = ofRows[own]; }
    }
  }`
    : ''
}
  // One after another, so that there is one copy of what comes behind a sum.
  for (var step = 0u; step < ${sums.length}u; step++) {
    if (works) {
      switch (step) {
${sums
  .map(
    ({ name }, i) =>
      `        case ${i}u: { subgroupMatrixStore<row_major>(&out, mine * ${m * n}u, ${name}, ${n}u); }`,
  )
  .join('\n')}
        default: {}
      }
    }
    workgroupBarrier();
    let firstRow = row0 + step / ${along}u * ${m}u;
    let firstColumn = column0 + step % ${along}u * ${n}u;
    for (var e = local; e < ${subgroups * m * n}u; e += ${group}u) {
      let block = e / ${m * n}u;
      let row = firstRow + block / ${across}u * ${rows}u + e % ${m * n}u / ${n}u;
      let column = firstColumn + block % ${across}u * ${columns}u + e % ${n}u;
      finish(row, column, group.z, out[e]);
    }
    workgroupBarrier();
  }
}`,
      {
        half: true,
        enable: `enable subgroups;
enable chromium_experimental_subgroup_matrix;
diagnostic(off, chromium.subgroup_matrix_uniformity);`,
      },
    );
  },
);
