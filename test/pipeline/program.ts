import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { packageRoot } from '../../src/common/files.js';

export interface Outcome {
  status: number | null;
  stdout: string;
  stderr: string;
}

/**
 * Runs the built `bin/admin-nmt.js` as a person would, in `cwd`.
 *
 * @param options.under a command with its arguments that starts the program, as `setpriv` does
 */
export function program(
  cwd: string,
  args: readonly string[],
  { under = [], ...options }: { input?: string | Buffer; under?: readonly string[] } = {},
): Outcome {
  const [command, ...rest] = [
    ...under,
    process.execPath,
    path.join(packageRoot(), 'bin', 'admin-nmt.js'),
    ...args,
  ];
  const { status, stdout, stderr, error } = spawnSync(command, rest, {
    cwd,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    env: { ...process.env, NO_COLOR: '1' },
    ...options,
  });
  if (error !== undefined) throw error;
  return { status, stdout, stderr };
}

/** A new empty folder. */
export function scratchFolder(name: string): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), `admin-nmt-${name}-`));
  process.once('exit', () => fs.rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Writes files given as a map of relative path to content. */
export function writeFiles(folder: string, files: Record<string, string | Buffer>): void {
  for (const [name, content] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    fs.writeFileSync(path.join(folder, name), content);
  }
}
