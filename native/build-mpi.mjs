// Builds what speaks with other processes by MPI: node native/build-mpi.mjs [--force]. It needs no MPI: the library is looked
// for when the program is started by one. Without a C++ compiler there is none of it, and a program that runs alone does not
// miss it.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const folder = path.dirname(fileURLToPath(import.meta.url));
const source = path.join(folder, 'mpi');
const build = process.env.ADMIN_NMT_NATIVE ?? path.join(folder, 'build');
const name = `mpi-${process.platform}-${process.arch}`;
const [addon, stamp] = ['node', 'hash'].map((kind) => path.join(build, `${name}.${kind}`));
const require = createRequire(import.meta.url);

const extra = process.env.ADMIN_NMT_CXXFLAGS?.split(' ') ?? [];
const FLAGS = [
  ...['-std=c++17', '-O3', '-fPIC', '-fvisibility=hidden', '-pthread', '-Wall', '-Wextra'],
  ...['-DNAPI_VERSION=8', '-DNAPI_CPP_EXCEPTIONS', '-DNODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS', ...extra],
];

/** What the linker is told, by platform; a sanitizer brings libraries of its own. */
const LINKED = {
  darwin: ['-bundle', '-undefined', 'dynamic_lookup'],
  linux: [
    ...['-shared', '-Wl,-z,nodelete', '-ldl'],
    ...(extra.some((flag) => flag.startsWith('-fsanitize')) ? [] : ['-static-libstdc++', '-static-libgcc']),
  ],
};

function hashOfSources() {
  const hash = createHash('sha256').update(readFileSync(fileURLToPath(import.meta.url)));
  hash.update(JSON.stringify(FLAGS));
  for (const file of readdirSync(source).sort())
    hash.update(`${file}\0`).update(readFileSync(path.join(source, file)));
  return hash.digest('hex');
}

function compile(compiler) {
  const api = path.dirname(require.resolve('node-api-headers/package.json'));
  const includes = [path.dirname(require.resolve('node-addon-api/package.json')), path.join(api, 'include')];
  const made = `${addon}.${process.pid}`;
  const files = readdirSync(source).filter((file) => file.endsWith('.cc'));
  const linked = LINKED[process.platform] ?? ['-shared'];
  const args = [...FLAGS, ...includes.map((place) => `-I${place}`), '-o', made, ...files, ...linked];
  mkdirSync(build, { recursive: true });
  const { status, stderr } = spawnSync(compiler, args, { cwd: source, encoding: 'utf8' });
  if (status !== 0) return stderr;
  renameSync(made, addon);
  writeFileSync(stamp, hashOfSources());
  return '';
}

function main() {
  const force = process.argv.includes('--force');
  if (process.platform === 'win32') return;
  const current = existsSync(stamp) && existsSync(addon) && readFileSync(stamp, 'utf8') === hashOfSources();
  if (current && !force) return;
  const asked = process.env.CXX;
  const compiler = (asked === undefined ? ['c++', 'g++', 'clang++'] : [asked]).find(
    (candidate) => spawnSync(candidate, ['--version']).status === 0,
  );
  if (compiler === undefined) return; // build.mjs has said so
  const messages = compile(compiler);
  if (messages === '') return;
  const reason = messages.split('\n').find((line) => line.includes('error')) ?? messages;
  console.error(`admin-nmt: what speaks with MPI could not be built (${reason.trim()}).`);
  if (force) process.exitCode = 1;
}

main();
