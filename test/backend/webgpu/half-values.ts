import type { WebGpuBackend } from '../../../src/backend/webgpu/backend.js';
import { ELEMENT, program } from '../../../src/backend/webgpu/program.js';
import { tf } from '../../../src/ops/tf.js';
import { allClose } from '../../ops/all-close.js';

/** The float16 that is nearest, ties to even; 0 for −0. */
export function toHalf(x: number): number {
  const exponent = Math.max(Math.floor(Math.log2(Math.abs(x))), -14);
  const unit = 2 ** (exponent - 10);
  const parts = x / unit;
  const below = Math.floor(parts);
  const rest = parts - below;
  const up = rest > 0.5 || (rest === 0.5 && below % 2 !== 0);
  const rounded = (below + (up ? 1 : 0)) * unit;
  return Math.abs(rounded) > 65504 ? Math.sign(rounded) * Number.POSITIVE_INFINITY : rounded;
}

export const device = (): WebGpuBackend => tf.backend() as unknown as WebGpuBackend;

const NARROWED = program({ x: 'floats', y: 'numbersOut' }, { count: 'u32' }, `${ELEMENT} to_y(i, x[i]); }`);

/** The same tensor in two bytes a number. */
export function inHalf<T extends tf.Tensor>(x: T): T {
  const backend = device();
  const y = backend.activation(x.shape, true);
  backend.run(NARROWED, { x: backend.floats(x), y: y.buffer }, { count: x.size }, backend.elements(x.size));
  return tf.engine().makeTensorFromTensorInfo(y.info) as T;
}

/** Within a share of the largest. */
export function near(found: tf.Tensor, exact: tf.Tensor, share: number): void {
  const values = exact.dataSync<'float32'>();
  const most = values.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
  allClose(found, exact, { absolute: share * most });
}
