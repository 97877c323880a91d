import type { Implementations as ImplementationsOf } from '../../kernel-registry.js';
import type { WebGpuBackend } from '../backend.js';

/** The kernels of this engine. */
export type Implementations = ImplementationsOf<WebGpuBackend>;
