import { spawn, spawnSync } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

/** What several processes came to: all that they wrote, and the code of what started them. */
export interface RanksOutcome {
  status: number | null;
  output: string;
  seconds: number;
}

/** What Debian calls the programs that start processes. */
export type Launcher = 'mpirun.openmpi' | 'mpirun.mpich';

/** Why a launcher cannot be tried here; false where it can. */
export const missing = (launcher: Launcher): string | false =>
  spawnSync(launcher, ['--version']).status === 0 ? false : `${launcher} is not installed`;

/** There are mostly more ranks than processors, and a test may be root. */
const OPTIONS: Record<Launcher, string[]> = { 'mpirun.openmpi': ['--oversubscribe'], 'mpirun.mpich': [] };
const AS_ROOT = { OMPI_ALLOW_RUN_AS_ROOT: '1', OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: '1' };

/** A file of these tests, compiled. */
export const program = (name: string): string => fileURLToPath(new URL(`${name}.js`, import.meta.url));

/** Runs a program of Node in so many processes that find each other. */
export function runRanks(
  launcher: Launcher,
  size: number,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<RanksOutcome> {
  return new Promise((resolve, reject) => {
    const start = performance.now();
    const child = spawn(launcher, [...OPTIONS[launcher], '-n', `${size}`, process.execPath, ...args], {
      env: { ...process.env, NO_COLOR: '1', ...AS_ROOT, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 100_000,
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (data) => {
        output += data;
      });
    }
    child.on('error', reject);
    child.on('close', (status) => resolve({ status, output, seconds: (performance.now() - start) / 1000 }));
  });
}
