import { tf } from '../../ops/tf.js';
import { registerFused, registerNaming } from '../kernel-registry.js';
import { WebGpuBackend } from './backend.js';
import { Device } from './device.js';
import { onHost } from './host-fallback.js';
import { IMPLEMENTATIONS } from './kernels/implementations.js';
import { PLAIN } from './plain-kernels.js';
import type { NoDevice } from './protocol.js';

const NAME = 'webgpu';

/**
 * Opens a device and registers WebGPU with tfjs, once.
 *
 * @param wanted number of the adapter, or part of its name; null for the fastest that is no software
 */
export async function registerWebGpu(wanted: string | null): Promise<Device | NoDevice> {
  const known = tf.findBackend(NAME);
  if (known != null) return (known as WebGpuBackend).device;
  const device = await Device.open(wanted);
  if (device instanceof Device) await registerDevice(device);
  return device;
}

/**
 * Registers WebGPU with tfjs: its fused kernels, its plain ones, and for every other kernel that tfjs's CPU backend has
 * that one, on the processor.
 */
export async function registerDevice(device: Device): Promise<void> {
  tf.registerBackend(NAME, () => new WebGpuBackend(device));
  registerFused(NAME, IMPLEMENTATIONS);
  await import('@tensorflow/tfjs-backend-cpu');
  for (const { kernelName, kernelFunc } of tf.getKernelsForBackend('cpu')) {
    if (kernelName in IMPLEMENTATIONS) continue; // the CPU backend may have got one of its own
    const host = onHost(kernelFunc);
    const plain = PLAIN[kernelName];
    registerNaming(NAME, kernelName, (params) => {
      const { inputs, attrs = {}, backend } = params;
      return plain?.({ inputs, attrs, backend: backend as WebGpuBackend }) ?? host(params);
    });
  }
}
