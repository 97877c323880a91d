import { tf } from '../../ops/tf.js';
import { registerFused, registerNaming } from '../kernel-registry.js';
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
  registerFused(NAME, IMPLEMENTATIONS);
  for (const { kernelName, kernelFunc } of tf.getKernelsForBackend('cpu')) {
    if (kernelName in IMPLEMENTATIONS) continue; // the CPU backend may have got one of its own
    const plain = PLAIN[kernelName];
    registerNaming(
      NAME,
      kernelName,
      plain === undefined ? kernelFunc : (params) => plain(params, kernelFunc),
    );
  }
  return addon;
}
