import { spawnSync } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

/** What a run of the program came to. */
export interface Outcome {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** The program compiled together with these tests. */
export const mainFile = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));

/** The environment without what changes messages. */
const { NO_COLOR, FORCE_COLOR, DEBUG, SACREBLEU_FORMAT, ...plainEnvironment } = process.env;

/** Runs the program; it is no terminal that it writes to. */
export function runProgram(
  args: readonly string[],
  { env = {}, ...options }: { cwd?: string; input?: string; env?: NodeJS.ProcessEnv } = {},
): Outcome {
  return runNode([mainFile, ...args], { env, ...options });
}

/** Runs a few lines of an ES module in a process of its own. */
export function runModule(source: string): Outcome {
  return runNode(['--input-type=module', '--eval', source], {});
}

function runNode(
  args: readonly string[],
  { env, ...options }: { cwd?: string; input?: string; env?: NodeJS.ProcessEnv },
): Outcome {
  const { status, stdout, stderr, error } = spawnSync(process.execPath, args, {
    encoding: 'utf8',
    env: { ...plainEnvironment, ...env },
    ...options,
  });
  if (error !== undefined) throw error;
  return { status, stdout, stderr };
}
