import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { UserError } from '../common/errors.js';
import { MOST_THREADS } from '../config/schema.js';
import { tf } from '../ops/tf.js';
import { registerHostDecoding } from './host-decoding.js';
import type { NativeBackend } from './native/backend.js';
import type { Addon } from './native/binding.js';
import { registerRowGather } from './wasm-gather.js';
import type { WebGpuBackend } from './webgpu/backend.js';
import type { DeviceFacts } from './webgpu/protocol.js';

export const BACKENDS = ['native', 'webgpu', 'tensorflow', 'wasm', 'cpu'] as const;
export type BackendName = (typeof BACKENDS)[number];
/** Those that `auto` looks for, in this order. A graphics card is first tested: workflows/choose-backend.ts sees to that. */
export const AUTO = BACKENDS.filter((name) => name !== 'webgpu');

/** The memory of a backend for tensors, in bytes. */
interface AnyMemory {
  /** Most that was in use since the last `resetPeak`. */
  readonly peak: number;
  /** What is held for it, idle or not. */
  readonly resident: number;
  resetPeak(): void;
  /** Gives back to the system what is not in use, as far as it can be. */
  trim(): void;
}

/** Memory of this process, beside whatever else it holds. */
export interface ProcessMemory extends AnyMemory {
  readonly ofCard: false;
}

/** Memory of a graphics card. */
export interface CardMemory extends AnyMemory {
  readonly ofCard: true;
  /** Before more than this is held, what is idle is given back. */
  limit: number;
  /** Once the card had not enough: begins anew with nothing in it. Whatever tensors there were are lost. */
  restart(): Promise<void>;
}

export type TensorMemory = ProcessMemory | CardMemory;

export interface ChosenBackend {
  name: BackendName;
  /** What it is and why it was taken, in one line. */
  reason: string;
  /** What decides the bits of results: the name, for the native engine with its instruction set. */
  engine: string;
  /** Threads that it computes on. */
  threads: number;
  /** Null where the backend does not tell. */
  memory: TensorMemory | null;
  /** Whether a device computes that may be lost with all that it holds. */
  isVolatile: boolean;
  /** By precision other than float32: how the backend computes products in it, in words. */
  precisions: Readonly<Record<string, string>>;
}

/** A backend that is there. `set`: of instructions with the same bits, where it tells. */
interface Loaded extends Partial<Pick<ChosenBackend, 'precisions' | 'threads'>> {
  tfjsName: string;
  what: string;
  set?: string;
}

/** Loads and registers a backend, or says in one line why it is not there. */
type Loader = (threads: number, gpu: string | null) => Promise<Loaded | { missing: string; install: string }>;

const TENSORFLOW_PACKAGES = ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node'];

/** Backends of tfjs that have got the kernels which the program adds to them: once is enough. */
const extended = new Set<BackendName>();

function extend(name: BackendName, register: () => void): void {
  if (!extended.has(name)) register();
  extended.add(name);
}

const LOADERS: Record<BackendName, Loader> = {
  native: async (threads) => {
    let addon: Addon;
    try {
      const { registerNative } = await import('./native/register.js');
      addon = registerNative();
    } catch (error) {
      return {
        missing: (error as Error).message.split('\n')[0],
        install: 'Run `node native/build.mjs` in the folder of admin-nmt; it needs g++ or clang++.',
      };
    }
    checkInstructionSet(addon);
    startThreads(addon, threads);
    const what = `the C++ engine, ${addon.isa}, ${threads} threads`;
    return { tfjsName: 'native', what, set: addon.bits, threads, precisions: precisionsOf(addon) };
  },
  webgpu: async (_threads, gpu) => {
    const { registerWebGpu } = await import('./webgpu/register.js');
    const device = await registerWebGpu(gpu ?? process.env.ADMIN_NMT_GPU ?? null);
    if ('missing' in device) return device;
    const { name, software } = device.facts;
    return {
      precisions: halfOf(device.facts),
      tfjsName: 'webgpu',
      what: `${name} through WebGPU${software ? ', in software, slow' : ''}`,
      set: name,
    };
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
    extend('wasm', () => {
      registerRowGather();
      registerHostDecoding('wasm');
    });
    const simd = await tf.env().getAsync('WASM_HAS_SIMD_SUPPORT');
    return { tfjsName: 'wasm', what: `WebAssembly, ${simd ? 'SIMD' : 'no SIMD'}, one thread` };
  },
  cpu: async () => {
    await import('@tensorflow/tfjs-backend-cpu');
    extend('cpu', () => registerHostDecoding('cpu'));
    return { tfjsName: 'cpu', what: 'plain JavaScript, slow' };
  },
};

/** Of the backend that is set. */
function memoryOf(name: BackendName): TensorMemory | null {
  if (name === 'native') return (tf.backend() as unknown as NativeBackend).arena;
  return name === 'webgpu' ? (tf.backend() as unknown as WebGpuBackend).pool : null;
}

function halfOf({ half, matrices }: Pick<DeviceFacts, 'half' | 'matrices'>): Record<string, string> {
  if (!half) return {};
  const { m, n, k } = matrices ?? {};
  const units = matrices === null ? 'shader-f16' : `matrix units of ${m} × ${n} × ${k}`;
  return { float16: `${units}, sums in float32` };
}

function precisionsOf({ isa }: Addon): Record<string, string> {
  const without = (unit: string) => `${isa}: the same bits without ${unit}`;
  return {
    bfloat16:
      isa === 'avx512bf16'
        ? `${isa}: VDPBF16PS`
        : `${without('VDPBF16PS')}; float32 is at least as fast here`,
    int8: /(vnni|bf16)$/.test(isa) ? `${isa}: VPDPBUSD` : without('VPDPBUSD'),
  };
}

/** @throws UserError where the environment asks for a set that this machine has not */
function checkInstructionSet({ isas }: Addon): void {
  const asked = process.env.ADMIN_NMT_ISA;
  if (asked === undefined || asked === '' || isas.includes(asked)) return;
  throw new UserError({
    problem: `expected an instruction set that this processor has (${isas.join(', ')}), found '${asked}'`,
    where: 'ADMIN_NMT_ISA',
    hint: 'Without it the first of these is taken.',
  });
}

/** @throws UserError where there cannot be so many */
function startThreads(addon: Addon, threads: number): void {
  if (!Number.isInteger(threads) || threads < 1 || threads > MOST_THREADS)
    throw new UserError({
      problem: `expected 1 to ${MOST_THREADS} threads, found ${threads}`,
      where: 'threads',
      hint: 'More than the machine has processors are of no use.',
    });
  try {
    addon.setThreads(threads);
  } catch (error) {
    const problem = `the system did not start ${threads} threads (${(error as Error).message})`;
    const hint = 'Ask for fewer with --threads, or raise the limits (`ulimit -u`, `ulimit -v`).';
    throw new UserError({ problem, where: 'threads', hint }, { cause: error });
  }
}

/**
 * Chooses, loads and sets the tensor backend.
 *
 * @param choice a backend, or 'auto' for the first of BACKENDS that is there
 * @param threads for the native engine; null for as many as this process may use
 * @param gpu for WebGPU: number of the graphics card or part of its name; null for the fastest
 * @throws UserError when the one that is asked for is not there, with the command that installs it; where ADMIN_NMT_ISA
 *   asks for instructions that the machine has not; where the system does not give so many threads
 */
export async function initBackend(
  choice: BackendName | 'auto',
  threads: number | null = null,
  gpu: string | null = null,
): Promise<ChosenBackend> {
  const passed: string[] = [];
  for (const name of choice === 'auto' ? AUTO : [choice]) {
    const found = await LOADERS[name](threads ?? Math.min(availableParallelism(), MOST_THREADS), gpu);
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
    const memory = memoryOf(name);
    const engine = found.set === undefined ? name : `${name} ${found.set}`;
    const reason = [found.what, ...passed].join('; ');
    const { threads: used = 1, precisions = {} } = found;
    return { name, reason, engine, threads: used, memory, isVolatile: name === 'webgpu', precisions };
  }
  throw new UserError({
    problem: `no tensor backend could be started: ${passed.join('; ')}`,
    where: 'backend',
    hint: 'Install the package again, or try --backend cpu.',
  });
}
