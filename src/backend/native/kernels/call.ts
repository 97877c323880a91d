import type { Precision } from '../../../common/precision.js';
import type { KernelDropout } from '../../../ops/kernels.js';
import type { tf } from '../../../ops/tf.js';
import type { Implementations as ImplementationsOf } from '../../kernel-registry.js';
import type { NativeBackend } from '../backend.js';

/** The kernels of this engine. */
export type Implementations = ImplementationsOf<NativeBackend>;

/** Codes of Activation in native/src/ops/feed-forward.h. */
export const ACTIVATIONS = { relu: 0, gelu: 1 } as const;

/** Codes of Precision in native/src/ops/precision.h. */
const CODES = { float32: 0, bfloat16: 1, int8: 2 } as const;

/** @throws TypeError for a precision that this engine does not compute in */
export function codeOf(precision: Precision): number {
  if (precision !== 'float16') return CODES[precision];
  throw new TypeError('expected a precision of the native engine, found float16');
}

/** A mask as the addon takes it. */
export function mask(dropout: KernelDropout): Float64Array | null {
  return dropout === null ? null : Float64Array.of(dropout.rate, dropout.seed, dropout.step, dropout.site);
}

/** Outputs of the given shapes; null where one is not wanted. */
export function outputs(
  backend: NativeBackend,
  shapes: readonly (readonly number[] | null)[],
): { infos: tf.TensorInfo[]; memory: (Float32Array | null)[] } {
  const made = shapes.map((shape) => (shape === null ? null : backend.output([...shape])));
  return {
    infos: made.flatMap((output) => (output === null ? [] : [output.info])),
    memory: made.map((output) => output?.values ?? null),
  };
}

/** The memory of inputs by name; null for those that are absent. */
export function memoryOf<K extends string>(
  backend: NativeBackend,
  inputs: Partial<Record<K, tf.TensorInfo>>,
): Record<K, Float32Array | null> {
  return new Proxy({} as Record<K, Float32Array | null>, {
    get: (_, name) => {
      const tensor = inputs[name as K];
      return tensor === undefined ? null : backend.floats(tensor);
    },
  });
}
