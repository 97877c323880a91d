// npm run sanitize: builds the native engine with the address and undefined-behaviour sanitizers, beside the usual one,
// and runs the tests that use it; then several callers of its threads at once under the thread sanitizer.
// npm run sanitize -- PART…: only the test files whose path holds one of these; `threads` stands for those callers.
// Needs g++ with its sanitizer libraries.
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { build, root, run } from './install.mjs';
import { placeOf, testFiles } from './test-files.mjs';

/** The tests that use the engine. */
const TESTS = ['ops/', 'backend/', 'train/native.'];

/** The test files that hold one of the parts under the address sanitizer, with every instruction set. */
function sanitizeTests(parts) {
  build();
  // That of the instruction sets runs the others again.
  const files = testFiles(parts).filter((file) => !file.endsWith('instruction-sets.test.js'));
  if (files.length === 0) {
    console.error(`error: no test file matches ${parts.join(', ')}`);
    process.exit(2);
  }
  const folder = path.join(root, '.build', 'sanitized');
  const flags = '-O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined';
  const env = { ...process.env, ADMIN_NMT_NATIVE: folder, ADMIN_NMT_CXXFLAGS: flags, CXX: 'g++' };
  const library = (name) => execFileSync('g++', [`-print-file-name=${name}`], { encoding: 'utf8' }).trim();
  const preload = ['libasan.so', 'libubsan.so'].map(library).join(' ');
  // The addon is loaded here once, with the libraries before it: the build's own look at it has not got them.
  run(process.execPath, [path.join(root, 'native', 'build.mjs'), '--force'], {
    env: { ...env, LD_PRELOAD: '' },
  });
  const sanitized = {
    ...env,
    LD_PRELOAD: preload,
    // V8 frees nothing at exit, and takes signals itself. A test asks for more memory than there is.
    ASAN_OPTIONS: 'detect_leaks=0:handle_segv=0:allow_user_segv_handler=1:allocator_may_return_null=1',
    UBSAN_OPTIONS: 'print_stacktrace=1',
  };
  for (const isa of instructionSets(
    path.join(folder, `${process.platform}-${process.arch}.node`),
    sanitized,
  )) {
    console.log(`\nWith ADMIN_NMT_ISA=${isa}:`);
    run(process.execPath, ['--test', '--test-reporter=spec', '--test-concurrency=1', ...files.map(placeOf)], {
      env: { ...sanitized, ADMIN_NMT_ISA: isa },
    });
  }
}

/** Those of this processor that an addon holds. */
function instructionSets(addon, env) {
  const ask = ['-p', 'require(process.argv[1]).isas.join()', addon];
  return execFileSync(process.execPath, ask, { env, encoding: 'utf8' }).trim().split(',');
}

/** Two callers with 100 000 jobs each, under the thread sanitizer. */
function sanitizeThreads() {
  const folder = path.join(root, '.build', 'threads');
  mkdirSync(folder, { recursive: true });
  const program = path.join(folder, 'callers');
  const sources = ['test/callers.cc', 'src/isa.cc', 'src/pool.cc', 'src/scratch.cc'];
  run('g++', [
    ...['-std=c++17', '-O1', '-g', '-pthread', '-fsanitize=thread', '-ffp-contract=fast', '-DISA=base'],
    ...['-Wno-psabi', '-o', program, ...sources.map((file) => path.join(root, 'native', file))],
  ]);
  console.log('\nThreads:');
  run(program, ['100000', '2'], { env: { ...process.env, TSAN_OPTIONS: 'halt_on_error=1' } });
}

const asked = process.argv.slice(2);
const parts = asked.filter((part) => part !== 'threads');
if (parts.length > 0 || asked.length === 0) sanitizeTests(parts.length > 0 ? parts : TESTS);
if (parts.length < asked.length || asked.length === 0) sanitizeThreads();
