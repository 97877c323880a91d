import type { WebGpuBackend } from '../../../src/backend/webgpu/backend.js';
import { multiply, type Product } from '../../../src/backend/webgpu/gemm.js';
import { tf } from '../../../src/ops/tf.js';
import { matrix } from '../../ops/samples.js';

/** Results of few tiles, of which the smaller are made, and of many; none of them whole. */
export const SIZES = [
  [1, 1, 1],
  [17, 33, 5],
  [260, 259, 19],
  [1030, 50, 33],
] as const;

/** The operands of a product, [m, k] and [k, n], as they are stored. */
function operandsOf(m: number, n: number, k: number, ta: boolean, tb: boolean): [tf.Tensor2D, tf.Tensor2D] {
  return [ta ? matrix(k, m, 1) : matrix(m, k, 1), tb ? matrix(n, k, 2) : matrix(k, n, 2)];
}

/** Their product in doubles, of numbers that are rounded first. */
export function expectedOf(
  m: number,
  n: number,
  k: number,
  ta: boolean,
  tb: boolean,
  round = (x: number): number => x,
): Float64Array {
  const operands = operandsOf(m, n, k, ta, tb);
  const [x, y] = operands.map((operand) => operand.dataSync().map(round));
  tf.dispose(operands);
  const out = new Float64Array(m * n);
  for (let i = 0; i < m; i++)
    for (let j = 0; j < n; j++)
      for (let d = 0; d < k; d++)
        out[i * n + j] += x[ta ? d * m + i : i * k + d] * y[tb ? j * k + d : d * n + j];
  return out;
}

/** What the card makes of them; and again, added to what is there. */
export function productOf(
  m: number,
  n: number,
  k: number,
  { twice = false, ...choices }: Partial<Product> & { twice?: boolean },
): Float32Array[] {
  const backend = tf.backend() as unknown as WebGpuBackend;
  const operands = operandsOf(m, n, k, choices.transposeA === true, choices.transposeB === true);
  const [a, b] = operands.map((operand) => ({ buffer: backend.floats(operand), pitch: operand.shape[1] }));
  const { info, buffer } = backend.output([m, n]);
  const product = { a, b, c: { buffer, pitch: n }, m, n, k, ...choices };
  const results: Float32Array[] = [];
  for (const epilogue of twice ? (['none', 'add'] as const) : [choices.epilogue ?? 'none']) {
    multiply(backend, { ...product, epilogue });
    results.push(backend.readSync(info.dataId) as Float32Array);
  }
  tf.dispose(operands);
  backend.disposeData(info.dataId);
  return results;
}
