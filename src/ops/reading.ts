import { tf } from './tf.js';

/** The values of a tensor as memory of their own: tfjs's CPU backend gives out that of the tensor itself, the others a copy. */
export async function ownValues(tensor: tf.Tensor): Promise<Float32Array<ArrayBuffer>> {
  const values = await tensor.data<'float32'>();
  return (tf.getBackend() === 'cpu' ? values.slice() : values) as Float32Array<ArrayBuffer>;
}

/**
 * The values of a tensor, to be looked at before anything is computed: not a copy where they lie in memory that the
 * backend lends.
 */
export async function lentValues(tensor: tf.Tensor): Promise<Float32Array> {
  const backend = tf.backend() as { lend?(tensor: tf.Tensor): Float32Array };
  return backend.lend?.(tensor) ?? (await tensor.data<'float32'>());
}

/** The values of a tensor that nobody else needs. */
export async function readAndDispose<T extends tf.NumericDataType = 'float32'>(
  tensor: tf.Tensor,
): Promise<tf.DataTypeMap[T]> {
  try {
    return await tensor.data<T>();
  } finally {
    tensor.dispose();
  }
}
