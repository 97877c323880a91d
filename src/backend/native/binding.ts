import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import * as os from 'node:os';
import * as path from 'node:path';
import process from 'node:process';
import { packageRoot } from '../../common/files.js';

/** Memory, or null where an op does without it. */
export type Floats = Float32Array | null;
/** Rate, seed, step and site of a mask, or null for no dropout. */
export type Mask = Float64Array | null;

/**
 * What the addon exports. Its ops are declared where they are called, in kernels/ and plain-kernels.ts; what each of them
 * does is said in native/src/ops. Outputs are written into memory that is given.
 */
export interface Addon {
  /** The instruction set in use: avx512bf16, avx2, base or another of native/build.mjs. */
  readonly isa: string;
  /** The name of the sets that compute the same bits as that in use. */
  readonly bits: string;
  /** Those that this processor has, the widest first. */
  readonly isas: readonly string[];
  /** Memory aligned to 64 bytes, not cleared. @throws Error with the code ERR_MEMORY_ALLOCATION_FAILED, as any op may */
  allocate(bytes: number): ArrayBuffer;
  /** Gives the pages of a stretch of such memory back to the system, where it takes them; what is in them is lost. */
  discard(memory: ArrayBuffer, start: number, end: number): void;
  /** Bytes until memory of JavaScript's own is aligned; asks for large pages for it, if they help. */
  align(memory: Uint8Array, bytes: number): number;
  /** Of this process, whoever calls. @throws Error where the system does not give so many; there is one thread then */
  setThreads(count: number): void;
}

/** Where native/build.mjs puts the addon of this platform; ADMIN_NMT_NATIVE names another folder. */
export function addonFile(): string {
  const folder = process.env.ADMIN_NMT_NATIVE ?? path.join(packageRoot(), 'native', 'build');
  return path.join(folder, `${process.platform}-${process.arch}.node`);
}

/**
 * Loads the addon. What was never loaded here is first loaded by a process of its own, so that a crash ends that one.
 *
 * @throws Error where the addon is absent, of another platform, or crashes
 */
export function loadAddon(): Addon {
  const file = addonFile();
  if (!existsSync(file)) throw new Error('its addon is not built');
  const proof = `${file}.loaded`;
  const { size, mtimeMs } = statSync(file);
  const mark = `${size} ${mtimeMs} ${process.version} ${os.hostname()}`;
  if (!existsSync(proof) || readFileSync(proof, 'utf8') !== mark) {
    const { status, signal, stderr } = spawnSync(process.execPath, ['-e', 'require(process.argv[1])', file], {
      encoding: 'utf8',
    });
    if (status !== 0) {
      const said = stderr.split('\n').find((line) => line.includes('Error')) ?? `exit ${status}`;
      throw new Error(`its addon does not load: ${signal === null ? said : `it ends with ${signal}`}`);
    }
    try {
      writeFileSync(proof, mark);
    } catch {
      // A folder that may not be written is looked at each time.
    }
  }
  return createRequire(import.meta.url)(file);
}
