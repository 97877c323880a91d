import { MathBackendCPU } from '@tensorflow/tfjs-backend-cpu';
import type { tf } from '../../ops/tf.js';
import type { WebGpuBackend } from './backend.js';

/** Storage of tfjs's CPU backend, for kernels that compute there with tensors of another backend. */
const host = new MathBackendCPU();
// It would recommend another package of tfjs on its first use.
(host as unknown as { firstUse: boolean }).firstUse = false;

type Inputs = tf.NamedTensorInfoMap;

/**
 * A kernel of tfjs's CPU backend for tensors of the device: they are read, and what comes out is sent back. For what is
 * rare; slow for all else.
 */
export function onHost(kernelFunc: tf.KernelFunc): tf.KernelFunc {
  return ({ inputs, attrs, backend: device }) => {
    const backend = device as WebGpuBackend;
    const read = (info: tf.TensorInfo): tf.TensorInfo =>
      host.makeTensorInfo(info.shape, info.dtype, backend.readSync(info.dataId) as Float32Array);
    const entries = Object.entries(inputs).map(([name, info]) => [name, info && read(info)] as const);
    const there = (
      Array.isArray(inputs) ? entries.map(([, info]) => info) : Object.fromEntries(entries)
    ) as Inputs;
    const made = kernelFunc({ inputs: there, attrs, backend: host });
    const results = (Array.isArray(made) ? made : [made]).map(({ dataId, shape, dtype }) => ({
      dataId: backend.write(host.data.get(dataId).values!, shape, dtype),
      ...{ shape, dtype },
    }));
    for (const info of [...entries.map(([, input]) => input), ...(Array.isArray(made) ? made : [made])])
      if (info && host.data.has(info.dataId)) host.disposeData(info.dataId, true);
    return Array.isArray(made) ? results : results[0];
  };
}
