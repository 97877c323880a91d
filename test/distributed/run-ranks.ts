import { spawn } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { AS_ROOT, type Launcher, launch } from '../../scripts/ranks-launcher.js';

/** What several processes came to: all that they wrote, and the code of what started them. */
export interface RanksOutcome {
  status: number | null;
  output: string;
  seconds: number;
}

/** A file of these tests, compiled. */
export const program = (name: string): string => fileURLToPath(new URL(`${name}.js`, import.meta.url));

/** Runs a program of Node in so many processes that find each other. */
export function runRanks(
  launcher: Launcher,
  size: number,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
  cwd?: string,
): Promise<RanksOutcome> {
  return new Promise((resolve, reject) => {
    const start = performance.now();
    const [command, ...options] = launch(launcher, size);
    const child = spawn(command, [...options, process.execPath, ...args], {
      env: { ...process.env, NO_COLOR: '1', ...AS_ROOT, ...env },
      cwd,
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
