import { tf } from './tf.js';

/** A backend whose tensors lie in the memory of the process: the native one, or that of plain JavaScript. */
interface HostBackend {
  /** What `webgpu` has of this name gives the number of a buffer. */
  floats?(tensor: tf.TensorInfo): unknown;
  data?: { get(dataId: object): { values?: unknown } };
}

/** The floats of a tensor where they lie; undefined where they cannot be touched. What is written there is in the tensor. */
export function memoryOf(tensor: tf.Tensor): Float32Array | undefined {
  const backend = tf.backend() as HostBackend;
  const name = tf.getBackend();
  if (name !== 'native' && name !== 'cpu') return undefined;
  const values = name === 'native' ? backend.floats!(tensor) : backend.data?.get(tensor.dataId).values;
  return values instanceof Float32Array ? values : undefined;
}

/** Whether the tensors of the backend in use lie in the memory of the process. */
export function isInMemory(): boolean {
  const probe = tf.scalar(0);
  const memory = memoryOf(probe);
  probe.dispose();
  return memory !== undefined;
}

/** The floats of a tensor. @throws Error where they cannot be touched */
export function floatsOf(tensor: tf.Tensor): Float32Array {
  const memory = memoryOf(tensor);
  if (memory === undefined)
    throw new Error(`the tensors of ${tf.getBackend()} are not in the memory of the process`);
  return memory;
}
