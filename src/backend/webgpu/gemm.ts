import type { KernelDropout } from '../../ops/kernels.js';
import type { WebGpuBackend } from './backend.js';
import { MASK, MASK_UNIFORMS, maskUniforms } from './mask.js';
import { type BufferKind, program, variants } from './program.js';

/** Rows and columns of what a group makes, and of what an invocation of it makes; for results of few tiles the smaller. */
const TILES = { large: { tile: 64, part: 4 }, small: { tile: 16, part: 2 } } as const;
type TileSize = keyof typeof TILES;
/** How deep a group reaches at a time. */
const DEPTH = 16;
/** Results of fewer large tiles are made of small ones. */
const LEAST_TILES = 16;

/** A matrix in a buffer: where it starts and how far it is from row to row. */
export interface Matrix {
  buffer: number;
  start?: number;
  pitch: number;
}

/** What is done with a sum before it is stored. */
export type Epilogue =
  | 'none'
  | 'bias'
  | 'add' // to what is there
  | 'relu'
  | 'gelu'
  | 'geluAlone' // without the sum before it
  | 'reluGradient'
  | 'geluGradient';

/** Error function by Cody's rational approximations of erf and erfc: good to the last digits of a float. */
const GELU = `
fn erfOf(x: f32) -> f32 {
  let a = abs(x);
  var y = 1.0;
  if (a < 0.5) {
    let s = a * a;
    return x * (((((-3.56098437018154e-2 * s + 6.99638348861914) * s + 2.19792616182942e1) * s + 2.42667955230532e2)) /
      (((s + 1.50827976304078e1) * s + 9.11649054045149e1) * s + 2.15058875869861e2));
  }
  if (a < 4.0) {
    let top = ((((((-1.36864857382717e-7 * a + 5.64195517478974e-1) * a + 7.21175825088309) * a + 4.31622272220567e1) * a +
      1.52989285046940e2) * a + 3.39320816734344e2) * a + 4.51918953711873e2) * a + 3.00459261020162e2;
    let below = ((((((a + 1.27827273196294e1) * a + 7.70001529352295e1) * a + 2.77585444743988e2) * a +
      6.38980264465631e2) * a + 9.31354094850610e2) * a + 7.90950925327898e2) * a + 3.00459260956983e2;
    y = 1.0 - exp(-a * a) * top / below;
  }
  return select(y, -y, x < 0.0);
}
fn gelu(x: f32) -> f32 { return 0.5 * x * (1.0 + erfOf(x * 0.70710678)); }
fn geluSlope(x: f32) -> f32 {
  return 0.5 * (1.0 + erfOf(x * 0.70710678)) + x * 0.39894228 * exp(-0.5 * x * x);
}`;

/** Buffers beside a, b and c, and the statements that store `sum` at `i`, element (row, column) of the result. */
const EPILOGUES: Record<Epilogue, { buffers: Record<string, 'floats' | 'floatsOut'>; store: string }> = {
  none: { buffers: {}, store: 'c[i] = sum;' },
  add: { buffers: {}, store: 'c[i] += sum;' },
  bias: { buffers: { bias: 'floats' }, store: 'c[i] = sum + bias[column];' },
  relu: {
    buffers: { bias: 'floats' },
    store: 'let x = sum + bias[column]; c[i] = select(x, 0.0, x < 0.0) * mask(i);',
  },
  gelu: {
    buffers: { bias: 'floats', before: 'floatsOut' },
    store: 'let x = sum + bias[column]; before[i] = x; c[i] = gelu(x) * mask(i);',
  },
  geluAlone: { buffers: { bias: 'floats' }, store: 'c[i] = gelu(sum + bias[column]);' },
  reluGradient: {
    buffers: { kept: 'floats' },
    store: 'c[i] = select(0.0, sum * p.maskKept, kept[i] > 0.0);',
  },
  geluGradient: {
    buffers: { kept: 'floats' },
    store: 'c[i] = sum * mask(i) * geluSlope(kept[i]);',
  },
};

/**
 * c = a·b, [m, k]·[k, n], with a or b stored the other way round where `ta` or `tb` says so. A group makes a tile, each
 * invocation a square of it in registers.
 */
const productProgram = variants(
  (ta: boolean, tb: boolean, epilogue: Epilogue, size: TileSize, summed: boolean) => {
    const { tile, part } = TILES[size];
    const side = tile / part;
    const group = side * side;
    const pitch = tile + 1; // odd, so that a column of shared memory lies in different banks
    const loads = (tile * DEPTH) / group;
    const each = (name: string) => Array.from({ length: part }, (_, i) => `${name} + ${i}u]`);
    const { buffers, store } = EPILOGUES[epilogue];
    const masked = store.includes('mask');
    return program(
      {
        a: 'floats',
        b: 'floats',
        c: 'floatsOut',
        ...buffers,
        ...(summed && { rowSums: 'floatsOut' }),
      } as Record<string, BufferKind>,
      {
        ...{ m: 'u32', n: 'u32', k: 'u32', aPitch: 'u32', bPitch: 'u32', cPitch: 'u32' },
        ...{ aStart: 'u32', bStart: 'u32', cStart: 'u32', aBatch: 'u32', bBatch: 'u32', cBatch: 'u32' },
        ...MASK_UNIFORMS,
      },
      `${masked ? MASK : ''}${store.includes('gelu') ? GELU : ''}
var<workgroup> as_: array<f32, ${DEPTH * pitch}>;
var<workgroup> bs_: array<f32, ${DEPTH * pitch}>;
@compute @workgroup_size(${group})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let row0 = group.y * ${tile}u;
  let column0 = group.x * ${tile}u;
  let tx = local % ${side}u;
  let ty = local / ${side}u;
  let aFrom = p.aStart + group.z * p.aBatch;
  let bFrom = p.bStart + group.z * p.bBatch;
  var sums: array<vec${part}<f32>, ${part}>;
  ${summed ? `var ofRows: array<f32, ${part}>;` : ''}
  for (var k0 = 0u; k0 < p.k; k0 += ${DEPTH}u) {
    for (var load = 0u; load < ${loads}u; load++) {
      let e = local + load * ${group}u;
      {
        let r = ${ta ? `e % ${tile}u` : `e / ${DEPTH}u`};
        let d = ${ta ? `e / ${tile}u` : `e % ${DEPTH}u`};
        let row = row0 + r; let k = k0 + d;
        var value = 0.0;
        if (row < p.m && k < p.k) { value = a[aFrom + ${ta ? 'k * p.aPitch + row' : 'row * p.aPitch + k'}]; }
        as_[d * ${pitch}u + r] = value;
      }
      {
        let r = ${tb ? `e / ${DEPTH}u` : `e % ${tile}u`};
        let d = ${tb ? `e % ${DEPTH}u` : `e / ${tile}u`};
        let column = column0 + r; let k = k0 + d;
        var value = 0.0;
        if (column < p.n && k < p.k) { value = b[bFrom + ${tb ? 'column * p.bPitch + k' : 'k * p.bPitch + column'}]; }
        bs_[d * ${pitch}u + r] = value;
      }
    }
    workgroupBarrier();
    for (var d = 0u; d < ${DEPTH}u; d++) {
      let base = d * ${pitch}u;
      let bv = vec${part}<f32>(${each(`bs_[base + tx * ${part}u`)});
      for (var r = 0u; r < ${part}u; r++) { sums[r] += as_[base + ty * ${part}u + r] * bv;  }
      ${summed ? `if (group.x == 0u) { for (var r = 0u; r < ${part}u; r++) { ofRows[r] += as_[base + ty * ${part}u + r]; } }` : ''}
    }
    workgroupBarrier();
  }
  for (var r = 0u; r < ${part}u; r++) {
    let row = row0 + ty * ${part}u + r;
    if (row >= p.m) { continue; }
    ${summed ? 'if (group.x == 0u && tx == 0u) { rowSums[row] = ofRows[r]; }' : ''}
    for (var s = 0u; s < ${part}u; s++) {
      let column = column0 + tx * ${part}u + s;
      if (column >= p.n) { continue; }
      let i = p.cStart + group.z * p.cBatch + row * p.cPitch + column;
      let sum = sums[r][s];
      ${store}
    }
  }
}`,
    );
  },
);

export interface Product {
  a: Matrix;
  b: Matrix;
  c: Matrix;
  m: number;
  n: number;
  k: number;
  transposeA?: boolean;
  transposeB?: boolean;
  epilogue?: Epilogue;
  /** Buffers of the epilogue. */
  beside?: Record<string, number>;
  /** Buffer for the sums of the rows of a, [m]: where that is a gradient the other way round, the gradient of a bias. */
  rowSums?: number;
  dropout?: KernelDropout;
  /** Of matrices one behind another, and how far apart they are. */
  batch?: { count: number; a: number; b: number; c: number };
}

/** c = a·b and what comes behind it. */
export function multiply(
  backend: WebGpuBackend,
  {
    a,
    b,
    c,
    m,
    n,
    k,
    transposeA = false,
    transposeB = false,
    epilogue = 'none',
    beside = {},
    rowSums,
    dropout = null,
    batch,
  }: Product,
): void {
  const uniforms = {
    ...{ m, n, k, aPitch: a.pitch, bPitch: b.pitch, cPitch: c.pitch },
    ...{ aStart: a.start ?? 0, bStart: b.start ?? 0, cStart: c.start ?? 0 },
    ...{ aBatch: batch?.a ?? 0, bBatch: batch?.b ?? 0, cBatch: batch?.c ?? 0 },
    ...maskUniforms(dropout),
  };
  const size = tilesOf(m, n, 'large') * (batch?.count ?? 1) < LEAST_TILES ? 'small' : 'large';
  const { tile } = TILES[size];
  const groups = [Math.ceil(n / tile), Math.ceil(m / tile), batch?.count ?? 1] as const;
  const ids: Record<string, number> = {
    a: a.buffer,
    b: b.buffer,
    c: c.buffer,
    ...beside,
    ...(rowSums !== undefined && { rowSums }),
  };
  backend.run(
    productProgram(transposeA, transposeB, epilogue, size, rowSums !== undefined),
    ids,
    uniforms,
    groups,
  );
}

function tilesOf(m: number, n: number, size: TileSize): number {
  const { tile } = TILES[size];
  return Math.ceil(m / tile) * Math.ceil(n / tile);
}
