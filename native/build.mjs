// Builds the native engine: node native/build.mjs [--force]. Runs by itself after `npm install`; without a C++ compiler
// it says so in one line and leaves the program to its other backends. Plain JavaScript, since it runs before anything
// is compiled. Sources and flags are hashed, so that nothing is built twice.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const folder = path.dirname(fileURLToPath(import.meta.url));
const source = path.join(folder, 'src');
const platform = `${process.platform}-${process.arch}`;
const build = process.env.ADMIN_NMT_NATIVE ?? path.join(folder, 'build'); // another folder, for a build of another kind
const addon = path.join(build, `${platform}.node`);
const stamp = path.join(build, `${platform}.hash`);
const require = createRequire(import.meta.url);

const COMMON = [
  ...['-std=c++17', '-O3', '-fPIC', '-fvisibility=hidden', '-ffp-contract=fast', '-pthread'],
  ...[
    '-DNAPI_VERSION=8',
    '-DNAPI_CPP_EXCEPTIONS',
    '-DNODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS', // where a worker is ended within a call, nobody is left to throw to
    '-Wall',
    '-Wextra',
    '-Wno-psabi',
    '-Wno-maybe-uninitialized',
  ],
  ...(process.env.ADMIN_NMT_CXXFLAGS?.split(' ') ?? []), // sanitizers, for one
];

const AVX2 = ['-mavx2', '-mfma'];
const AVX512 = [
  ...['-mavx512f', '-mavx512bw', '-mavx512vl', '-mavx512dq', ...AVX2],
  '-mprefer-vector-width=512',
];

/**
 * The instruction sets that isa.cc is compiled for where the compiler knows their flags, the narrowest first; cpu.cc says
 * which of them a processor has. The base comes first: what they share is taken from it.
 */
const SETS =
  process.arch === 'x64'
    ? {
        base: [],
        avx2: AVX2,
        avx2vnni: [...AVX2, '-mavxvnni'],
        avx512: AVX512,
        avx512vnni: [...AVX512, '-mavx512vnni'],
        avx512bf16: [...AVX512, '-mavx512vnni', '-mavx512bf16'],
      }
    : { base: [] };

/** What is compiled for these sets. */
function unitsOf(sets) {
  return [
    ...['addon', 'pool', 'scratch'].map((name) => ({ file: `${name}.cc`, object: `${name}.o`, flags: [] })),
    { file: 'cpu.cc', object: 'cpu.o', flags: [`-DSETS(X)=${sets.map((isa) => `X(${isa})`).join(' ')}`] },
    ...sets.map((isa) => ({
      file: 'isa.cc',
      object: `isa-${isa}.o`,
      flags: [`-DISA=${isa}`, ...SETS[isa]],
    })),
  ];
}

function hashOfSources() {
  const hash = createHash('sha256').update(readFileSync(fileURLToPath(import.meta.url)));
  hash.update(JSON.stringify([COMMON, SETS]));
  for (const file of readdirSync(source, { recursive: true }).sort()) {
    if (/\.(cc|h)$/.test(file)) hash.update(`${file}\0`).update(readFileSync(path.join(source, file)));
  }
  return hash.digest('hex');
}

/** Whether the addon is there and loads: in a process of its own, which a crash ends alone. */
function loads() {
  return (
    existsSync(addon) && spawnSync(process.execPath, ['-e', `require(${JSON.stringify(addon)})`]).status === 0
  );
}

function findCompiler() {
  const asked = process.env.CXX;
  const candidates = asked === undefined ? ['c++', 'g++', 'clang++'] : [asked];
  return candidates.find((name) => spawnSync(name, ['--version']).status === 0);
}

/** The sets whose flags the compiler knows; says of the others which flags it does not. */
function knownSets(compiler) {
  const refuses = (flags) =>
    spawnSync(compiler, [...flags, '-fsyntax-only', '-x', 'c++', os.devNull]).status !== 0;
  return Object.keys(SETS).filter((isa) => {
    if (isa === 'base' || !refuses(SETS[isa])) return true;
    const unknown = SETS[isa].filter((flag) => refuses([flag]));
    say(`the native engine is built without ${isa}: ${compiler} does not know ${unknown.join(', ')}.`);
    return false;
  });
}

function includes() {
  const headers = path.dirname(require.resolve('node-addon-api/package.json'));
  const api = path.dirname(require.resolve('node-api-headers/package.json'));
  return [`-I${headers}`, `-I${path.join(api, 'include')}`];
}

/** Runs the compiler. @throws Error with what it printed */
function run(compiler, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(compiler, args, { cwd: source, stdio: ['ignore', 'ignore', 'pipe'] });
    let messages = '';
    child.stderr.on('data', (data) => {
      messages += data;
    });
    child.on('error', reject);
    child.on('close', (status) => (status === 0 ? resolve() : reject(new Error(messages))));
  });
}

async function compile(compiler) {
  const units = unitsOf(knownSets(compiler));
  const objects = path.join(build, `objects-${process.pid}`);
  mkdirSync(objects, { recursive: true });
  try {
    const place = (object) => path.join(objects, object);
    const waiting = [...units].reverse(); // the longest first
    const worker = async () => {
      for (let unit = waiting.shift(); unit !== undefined; unit = waiting.shift()) {
        await run(compiler, [
          ...COMMON,
          ...includes(),
          ...unit.flags,
          '-c',
          unit.file,
          '-o',
          place(unit.object),
        ]);
      }
    };
    await Promise.all([worker(), worker()]);
    const made = place('addon.node');
    const shared = process.platform === 'darwin' ? ['-bundle', '-undefined', 'dynamic_lookup'] : ['-shared'];
    const sanitized = COMMON.some((flag) => flag.startsWith('-fsanitize'));
    const bundled = process.platform === 'linux' && !sanitized ? ['-static-libstdc++', '-static-libgcc'] : [];
    // Node unloads an addon with the last worker thread that loaded it; threads of the pool may still be asleep in it.
    // (macOS keeps what has thread-local variables by itself.)
    const kept = process.platform === 'linux' ? ['-Wl,-z,nodelete'] : [];
    const flags = [
      ...COMMON.filter((flag) => /^-(fsanitize|pthread)/.test(flag)),
      ...shared,
      ...bundled,
      ...kept,
    ];
    await run(compiler, [...flags, '-o', made, ...units.map(({ object }) => place(object))]);
    renameSync(made, addon);
    writeFileSync(stamp, hashOfSources());
  } finally {
    rmSync(objects, { recursive: true, force: true });
  }
}

const say = (text) => console.error(`admin-nmt: ${text}`);

async function main() {
  const current = existsSync(stamp) && readFileSync(stamp, 'utf8') === hashOfSources();
  if (current && !process.argv.includes('--force') && loads()) return;
  if (process.platform === 'win32') {
    return say('the native engine is not built on Windows; the program runs on WebAssembly.');
  }
  const compiler = findCompiler();
  if (compiler === undefined) {
    if (loads()) return;
    return say(
      'no C++ compiler found, so the native engine is not built and the program runs on WebAssembly. ' +
        'Install g++ or clang++, then run `node native/build.mjs`.',
    );
  }
  try {
    await compile(compiler);
  } catch (error) {
    const reason = error.message.split('\n').find((line) => line.includes('error')) ?? error.message;
    say(
      `the native engine could not be built (${reason.trim()}); the program runs on WebAssembly. ` +
        '`node native/build.mjs --force` tries again.',
    );
    if (process.argv.includes('--force')) process.exitCode = 1;
  }
}

await main();
