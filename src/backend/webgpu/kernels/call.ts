import type { KernelName, Kernels } from '../../../ops/kernels.js';
import type { tf } from '../../../ops/tf.js';
import type { WebGpuBackend } from '../backend.js';

/** What a fused kernel is called with. */
export interface Call<N extends KernelName> {
  inputs: Partial<Record<Kernels[N]['inputs'], tf.TensorInfo>>;
  attributes: Kernels[N]['attributes'];
  backend: WebGpuBackend;
}

export type Implementation<N extends KernelName> = (call: Call<N>) => tf.TensorInfo[];

export type Implementations = { readonly [N in KernelName]: Implementation<N> };
