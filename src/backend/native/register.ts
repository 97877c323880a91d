import { tf } from '../../ops/tf.js';
import { NativeBackend } from './backend.js';
import { type Addon, loadAddon } from './binding.js';
import { IMPLEMENTATIONS } from './kernels/implementations.js';
import { PLAIN } from './plain-kernels.js';

const NAME = 'native';

/**
 * Registers the native engine with tfjs, once: its fused kernels, its plain ones, and for every other kernel that
 * tfjs's CPU backend has the JavaScript one.
 *
 * @throws Error where the addon cannot be loaded
 */
export function registerNative(): Addon {
  const known = tf.findBackend(NAME);
  if (known != null) return (known as NativeBackend).addon;
  const addon = loadAddon();
  tf.registerBackend(NAME, () => new NativeBackend(addon));
  for (const [kernelName, implementation] of Object.entries(IMPLEMENTATIONS)) {
    register(kernelName, ({ inputs, attrs, backend }) =>
      (implementation as (call: object) => tf.TensorInfo[])({ inputs, attributes: attrs, backend }),
    );
  }
  for (const { kernelName, kernelFunc } of tf.getKernelsForBackend('cpu')) {
    if (kernelName in IMPLEMENTATIONS) continue; // the CPU backend may have got one of its own
    const plain = PLAIN[kernelName];
    register(kernelName, plain === undefined ? kernelFunc : (params) => plain(params, kernelFunc));
  }
  return addon;
}

/** Registers a kernel whose errors name it. */
function register(kernelName: string, kernelFunc: tf.KernelFunc): void {
  tf.registerKernel({
    kernelName,
    backendName: NAME,
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
