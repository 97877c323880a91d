// Makes a fresh clone ready to run: installs the dependencies when they are absent or older than the lockfile,
// and compiles. Plain JavaScript without dependencies, since it runs before anything is installed.
import { spawnSync } from 'node:child_process';
import { existsSync, renameSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

/** Runs a command in the root of the package; ends this process with its status when it fails. */
export function run(command, args, options = {}) {
  const { status, signal, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit', ...options });
  if (error !== undefined) console.error(`error: ${command} could not be started: ${error.message}`);
  if (status !== 0) process.exit(signal === 'SIGINT' ? 130 : (status ?? 1));
}

/** `npm ci`, unless what is installed is at least as new as the lockfile. */
export function install() {
  const installed = path.join(root, 'node_modules', '.package-lock.json');
  const wanted = path.join(root, 'package-lock.json');
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(wanted).mtimeMs) return;
  const npm = process.env.npm_execpath;
  const args = ['ci', '--no-audit', '--no-fund', '--loglevel=error'];
  if (npm !== undefined && /\.c?js$/.test(npm)) run(process.execPath, [npm, ...args]);
  else run('npm', args, { shell: process.platform === 'win32' });
}

/**
 * Builds the native engine where that can be, and compiles src, test and scripts into dist, from nothing, so that no file outlives
 * its source. What is there stays until all is compiled: a training that runs finds what it still has to load.
 */
export function build() {
  install();
  for (const file of ['build.mjs', 'build-mpi.mjs']) run(process.execPath, [path.join(root, 'native', file)]);
  const [dist, made, old] = ['dist', 'dist.new', 'dist.old'].map((name) => path.join(root, name));
  for (const left of [made, old]) rmSync(left, { recursive: true, force: true });
  run(process.execPath, [path.join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '--outDir', made]);
  if (existsSync(dist)) renameSync(dist, old);
  renameSync(made, dist);
  rmSync(old, { recursive: true, force: true });
}
