import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { UserError } from '../common/errors.js';
import { tf } from '../ops/tf.js';
import type { NativeBackend } from './native/backend.js';
import { registerRowGather } from './wasm-gather.js';

export const BACKENDS = ['native', 'tensorflow', 'wasm', 'cpu'] as const;
export type BackendName = (typeof BACKENDS)[number];

/** The memory of a backend for tensors, in bytes. */
export interface TensorMemory {
  /** Most that was in use since the last `resetPeak`. */
  readonly peak: number;
  /** What the process holds for it. */
  readonly resident: number;
  resetPeak(): void;
  /** Gives back to the system what is not in use, as far as it can be. */
  trim(): void;
}

export interface ChosenBackend {
  name: BackendName;
  /** What it is and why it was taken, in one line. */
  reason: string;
  /** Null where the backend does not tell. */
  memory: TensorMemory | null;
}

/** Loads and registers a backend, or says in one line why it is not there. */
type Loader = (
  threads: number,
) => Promise<{ tfjsName: string; what: string } | { missing: string; install: string }>;

const TENSORFLOW_PACKAGES = ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node'];

/** Whether the wasm backend has its second look-up of rows: once is enough. */
let rowGather = false;

const LOADERS: Record<BackendName, Loader> = {
  native: async (threads) => {
    try {
      const { registerNative } = await import('./native/register.js');
      const { isa, setThreads } = registerNative();
      setThreads(threads);
      return { tfjsName: 'native', what: `the C++ engine, ${isa}, ${threads} threads` };
    } catch (error) {
      return {
        missing: (error as Error).message.split('\n')[0],
        install: 'Run `node native/build.mjs` in the folder of admin-nmt; it needs g++ or clang++.',
      };
    }
  },
  tensorflow: async () => {
    const failures: string[] = [];
    for (const name of TENSORFLOW_PACKAGES) {
      try {
        await import(name);
        return { tfjsName: 'tensorflow', what: `TensorFlow through ${name}` };
      } catch (error) {
        const { code, message } = error as NodeJS.ErrnoException;
        failures.push(
          code === 'ERR_MODULE_NOT_FOUND' ? `${name} is not installed` : `${name}: ${message.split('\n')[0]}`,
        );
      }
    }
    return {
      missing: failures.join('; '),
      install:
        'Install one of them: `npm install @tensorflow/tfjs-node-gpu` (CUDA) or `npm install @tensorflow/tfjs-node`.',
    };
  },
  wasm: async () => {
    const { setWasmPaths } = await import('@tensorflow/tfjs-backend-wasm');
    const entry = createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm');
    setWasmPaths(path.dirname(entry) + path.sep);
    if (!rowGather) registerRowGather();
    rowGather = true;
    const simd = await tf.env().getAsync('WASM_HAS_SIMD_SUPPORT');
    return { tfjsName: 'wasm', what: `WebAssembly, ${simd ? 'SIMD' : 'no SIMD'}, one thread` };
  },
  cpu: async () => {
    await import('@tensorflow/tfjs-backend-cpu');
    return { tfjsName: 'cpu', what: 'plain JavaScript, slow' };
  },
};

/**
 * Chooses, loads and sets the tensor backend.
 *
 * @param choice a backend, or 'auto' for the first of BACKENDS that is there
 * @param threads for the native engine; null for as many as this process may use
 * @throws UserError when the one that is asked for is not there, with the command that installs it
 */
export async function initBackend(
  choice: BackendName | 'auto',
  threads: number | null = null,
): Promise<ChosenBackend> {
  const passed: string[] = [];
  for (const name of choice === 'auto' ? BACKENDS : [choice]) {
    const found = await LOADERS[name](threads ?? availableParallelism());
    if ('missing' in found) {
      passed.push(`${name}: ${found.missing}`);
      if (choice === 'auto') continue;
      throw new UserError({
        problem: `the backend '${name}' is not available: ${found.missing}`,
        where: 'backend',
        hint: found.install,
      });
    }
    if (!(await tf.setBackend(found.tfjsName))) {
      passed.push(`${name}: it did not start`);
      continue;
    }
    await tf.ready();
    // tfjs's CPU backend would recommend another package on its first use; which one runs is said by the caller.
    if (name === 'cpu') (tf.backend() as unknown as { firstUse: boolean }).firstUse = false;
    const memory = name === 'native' ? (tf.backend() as unknown as NativeBackend).arena : null;
    return { name, reason: [found.what, ...passed].join('; '), memory };
  }
  throw new UserError({
    problem: `no tensor backend could be started: ${passed.join('; ')}`,
    where: 'backend',
    hint: 'Install the package again, or try --backend cpu.',
  });
}
