import type { KernelName, Kernels } from '../ops/kernels.js';
import { tf } from '../ops/tf.js';

/** What a fused kernel of a backend is called with. */
export interface Call<N extends KernelName, Backend> {
  inputs: Partial<Record<Kernels[N]['inputs'], tf.TensorInfo>>;
  attributes: Kernels[N]['attributes'];
  backend: Backend;
}

/** The fused kernels of a backend, by name. */
export type Implementations<Backend> = {
  readonly [N in KernelName]: (call: Call<N, Backend>) => tf.TensorInfo[];
};

/** Registers fused kernels with tfjs. */
export function registerFused<Backend>(
  backendName: string,
  implementations: Partial<Implementations<Backend>>,
): void {
  for (const [kernelName, implementation] of Object.entries(implementations)) {
    registerNaming(backendName, kernelName, ({ inputs, attrs, backend }) =>
      (implementation as (call: object) => tf.TensorInfo[])({ inputs, attributes: attrs, backend }),
    );
  }
}

/** Registers a kernel whose errors name it. */
export function registerNaming(backendName: string, kernelName: string, kernelFunc: tf.KernelFunc): void {
  tf.registerKernel({
    kernelName,
    backendName,
    kernelFunc: (params) => {
      try {
        return kernelFunc(params);
      } catch (error) {
        if (error instanceof Error) error.message = `${kernelName}: ${error.message}`;
        throw error;
      }
    },
  });
}
