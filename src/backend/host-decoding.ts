import type { MathBackendCPU } from '@tensorflow/tfjs-backend-cpu';
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import type { Kernels } from '../ops/kernels.js';
import { tf } from '../ops/tf.js';

/** What a backend of tfjs keeps where JavaScript reads and writes it. */
interface HostMemory {
  /** A tensor for a kernel to fill in; made before the memory of others is asked for, which this may move. */
  output(backend: object, shape: number[]): tf.TensorInfo;
  /** The memory of a tensor's floats. */
  floats(backend: object, tensor: tf.TensorInfo): Float32Array;
}

const MEMORIES = {
  wasm: {
    output: (backend, shape) => (backend as BackendWasm).makeOutput(shape, 'float32'),
    floats: (backend, tensor) =>
      (backend as BackendWasm).typedArrayFromHeap(tensor as tf.Tensor) as Float32Array,
  },
  cpu: {
    output: (backend, shape) => {
      const values = new Float32Array(shape.reduce((product, size) => product * size, 1));
      return (backend as MathBackendCPU).makeTensorInfo(shape, 'float32', values);
    },
    floats: (backend, { dataId }) => (backend as MathBackendCPU).data.get(dataId).values as Float32Array,
  },
} satisfies Record<string, HostMemory>;

/**
 * Gives a backend the kernels of attention to stored keys, in plain loops. A step's queries are few and each sees other
 * keys, which leaves tfjs's own kernels with copies to make and little to multiply.
 */
export function registerHostDecoding(backendName: keyof typeof MEMORIES): void {
  const memory: HostMemory = MEMORIES[backendName];
  tf.registerKernel({
    kernelName: 'StoreRows',
    backendName,
    kernelFunc: ({ inputs, attrs, backend }) => {
      const { column, first, from } = attrs as unknown as Kernels['StoreRows']['attributes'];
      const [rows, stored] = [inputs.rows, inputs.stored].map((info) =>
        memory.floats(backend as object, info!),
      );
      const [there, stride] = inputs.rows!.shape;
      const [, width] = inputs.stored!.shape;
      for (let i = 0; i < (from?.length ?? there); i++) {
        const start = (from?.[i] ?? i) * stride + column;
        stored.set(rows.subarray(start, start + width), (first + i) * width);
      }
      return [];
    },
  });
  tf.registerKernel({
    kernelName: 'CachedAttention',
    backendName,
    kernelFunc: ({ inputs, attrs, backend }) => {
      const { heads, column, places, offsets } = attrs as unknown as Kernels['CachedAttention']['attributes'];
      const [rows, stride] = inputs.queries!.shape;
      const [, width] = inputs.keys!.shape;
      const result = memory.output(backend as object, [rows, width]);
      const floats = (info: tf.TensorInfo) => memory.floats(backend as object, info);
      const [queries, keys, values] = [inputs.queries, inputs.keys, inputs.values].map((info) =>
        floats(info!),
      );
      const out = floats(result).fill(0);
      const headWidth = width / heads;
      for (let row = 0; row < rows; row++) {
        const seen = places.subarray(offsets[row], offsets[row + 1]);
        for (let start = 0; start < width; start += headWidth) {
          const [from, to] = [row * stride + column + start, row * width + start];
          const weights = weightsOf(queries.subarray(from, from + headWidth), keys, seen, start, width);
          mix(weights, values, seen, start, width, out.subarray(to, to + headWidth));
        }
      }
      return [result];
    },
  });
}

/** Attention weights of a query: a softmax over the scores of its keys, which start at `start` of their rows. */
function weightsOf(
  query: Float32Array,
  keys: Float32Array,
  places: Int32Array,
  start: number,
  width: number,
): Float64Array {
  const weights = new Float64Array(places.length);
  const scale = 1 / Math.sqrt(query.length);
  let top = Number.NEGATIVE_INFINITY;
  for (let j = 0; j < places.length; j++) {
    const key = places[j] * width + start;
    let product = 0;
    for (let i = 0; i < query.length; i++) product += query[i] * keys[key + i];
    weights[j] = product * scale;
    if (weights[j] > top) top = weights[j];
  }
  let sum = 0;
  for (let j = 0; j < places.length; j++) {
    weights[j] = Math.exp(weights[j] - top);
    sum += weights[j];
  }
  for (let j = 0; j < places.length; j++) weights[j] /= sum;
  return weights;
}

/** Adds Σ weight · value to `out`. */
function mix(
  weights: Float64Array,
  values: Float32Array,
  places: Int32Array,
  start: number,
  width: number,
  out: Float32Array,
): void {
  for (let j = 0; j < places.length; j++) {
    const value = places[j] * width + start;
    for (let i = 0; i < out.length; i++) out[i] += weights[j] * values[value + i];
  }
}
