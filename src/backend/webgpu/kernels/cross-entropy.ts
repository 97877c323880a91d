import { multiply } from '../gemm.js';
import { LEAST, MOST, POWERS, program, ROW, ROW_GROUP, SUM, variants } from '../program.js';
import { rowSums } from '../reduce.js';
import { windowsOf } from '../windows.js';
import type { Implementations } from './call.js';

/** Logits that are there at a time, and rows of them. */
const MOST_LOGITS = 2 ** 25;
const MOST_ROWS = 1024;

/** The losses of rows of logits, and the gradient in place of the logits. */
const lossProgram = variants((gradient: boolean) =>
  program(
    { logits: 'floatsOut', loss: 'floatsOut', nll: 'floatsOut' },
    { rows: 'u32', width: 'u32', first: 'u32', epsilon: 'f32', lossScale: 'f32', targets: 'indices' },
    `${SUM}${MOST}${POWERS}${ROW}
  let start = row * p.width;
  var top = ${LEAST};
  for (var c = local; c < p.width; c += ${ROW_GROUP}u) { let z = logits[start + c]; top = select(top, z, z > top); }
  top = mostOf(top, local);
  var sum = 0.0;
  var all = 0.0;
  for (var c = local; c < p.width; c += ${ROW_GROUP}u) {
    let z = logits[start + c] - top;
    sum += powerOf(logits[start + c], top);
    all += z;
  }
  sum = sumOf(sum, local);
  all = sumOf(all, local);
  let size = f32(p.width);
  let wanted = at(p.targets + p.first + row);
  if (local == 0u) {
    let likelihood = logOf(sum) - (logits[start + wanted] - top);
    nll[p.first + row] = likelihood;
    loss[p.first + row] = (1.0 - p.epsilon) * likelihood + p.epsilon * (logOf(sum) - all / size);
  }
  ${
    gradient
      ? `storageBarrier();
  let share = p.epsilon / size;
  for (var c = local; c < p.width; c += ${ROW_GROUP}u) {
    let hit = select(0.0, 1.0 - p.epsilon, c == wanted);
    logits[start + c] = (powerOf(logits[start + c], top) / sum - share - hit) * p.lossScale;
  }`
      : ''
  }
}`,
  ),
);

const PAIR = program(
  { a: 'floats', b: 'floats', y: 'floatsOut' },
  { rows: 'u32' },
  `@compute @workgroup_size(1) fn main() { y[0] = a[0]; y[1] = b[0]; }`,
);

export const CROSS_ENTROPY = {
  CrossEntropy: ({ inputs, attributes: { targets, epsilon, gradient, lossScale, precision }, backend }) => {
    const [rows, width] = inputs.hidden!.shape;
    const [size] = inputs.weight!.shape;
    const hidden = backend.numbers(inputs.hidden!);
    const weights = windowsOf(backend, inputs.weight!);
    const wrong = targets.find((target) => target < 0 || target >= size);
    if (wrong !== undefined) throw new RangeError(`expected a target below ${size}, found ${wrong}`);
    const losses = backend.output([2]);
    // Where the vocabulary is taken in parts, it is their sum: rounded once or not at all.
    const half = precision === 'float16' && weights.length === 1;
    const dHidden = gradient ? backend.activation([rows, width], half) : null;
    const dWeight = gradient ? backend.largeOutput([size, width]) : null;
    const dWeights = dWeight === null ? [] : windowsOf(backend, dWeight);
    const block = Math.max(1, Math.min(rows, MOST_ROWS, Math.floor(MOST_LOGITS / size)));
    const [logits, loss, nll] = [block * size, rows, rows].map((length) => backend.allocate(length));
    for (let first = 0; first < rows || first === 0; first += block) {
      const here = Math.min(block, rows - first);
      const of = (buffer: number) => ({ buffer, start: first * width, pitch: width });
      const ofLogits = (start: number) => ({ buffer: logits, start, pitch: size });
      for (const { buffer, first: start, rows: n } of weights) {
        multiply(backend, {
          ...{ a: of(hidden), b: { buffer, pitch: width }, transposeB: true },
          ...{ c: ofLogits(start), m: here, n, k: width, precision },
        });
      }
      const uniforms = { rows: here, width: size, first, epsilon, lossScale, targets };
      backend.run(lossProgram(gradient), { logits, loss, nll }, uniforms, backend.fold(here));
      if (dHidden === null) continue;
      for (const { buffer, first: start, rows: k } of weights) {
        multiply(backend, {
          ...{ a: ofLogits(start), b: { buffer, pitch: width }, c: of(dHidden.buffer) },
          ...{ m: here, n: width, k, epilogue: start === 0 ? 'none' : 'add', precision },
        });
      }
      for (const { buffer, first: start, rows: m } of dWeights) {
        multiply(backend, {
          ...{ a: ofLogits(start), transposeA: true, b: of(hidden), c: { buffer, pitch: width } },
          ...{ m, n: width, k: here, epilogue: first === 0 ? 'none' : 'add', precision },
        });
      }
    }
    const sums = [backend.allocate(1), backend.allocate(1)];
    rowSums(backend, loss, sums[0], 1, rows);
    rowSums(backend, nll, sums[1], 1, rows);
    backend.run(PAIR, { a: sums[0], b: sums[1], y: losses.buffer }, { rows }, [1, 1, 1]);
    for (const id of [logits, loss, nll, ...sums]) backend.pool.give(id);
    return [losses.info, ...(dHidden && dWeight ? [dHidden.info, dWeight] : [])];
  },
} satisfies Partial<Implementations>;
