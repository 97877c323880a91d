// npm run sanitize: builds the native engine with the address and undefined-behaviour sanitizers, beside the usual one,
// and runs the tests that use it; then several callers of its threads at once under the thread sanitizer
// (npm run sanitize -- threads: those alone). Needs g++ with its sanitizer libraries.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { build, root, run } from './install.mjs';

/** The tests under the address sanitizer, with every instruction set. */
function sanitizeTests() {
  build();
  const folder = path.join(root, '.build', 'sanitized');
  const flags = '-O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined';
  const env = { ...process.env, ADMIN_NMT_NATIVE: folder, ADMIN_NMT_CXXFLAGS: flags, CXX: 'g++' };
  const library = (name) => execFileSync('g++', [`-print-file-name=${name}`], { encoding: 'utf8' }).trim();
  const preload = ['libasan.so', 'libubsan.so'].map(library).join(' ');
  // The addon is loaded here once, with the libraries before it: the build's own look at it has not got them.
  run(process.execPath, [path.join(root, 'native', 'build.mjs'), '--force'], {
    env: { ...env, LD_PRELOAD: '' },
  });
  const tests = path.join(root, 'dist', 'test');
  const files = ['ops', 'backend'].flatMap((room) =>
    readdirSync(path.join(tests, room), { recursive: true })
      .filter((file) => file.endsWith('.test.js') && !file.endsWith('instruction-sets.test.js'))
      .map((file) => path.join(tests, room, file)),
  );
  for (const isa of ['avx512', 'avx2', 'base']) {
    console.log(`\nWith ADMIN_NMT_ISA=${isa}:`);
    run(
      process.execPath,
      [
        ...['--test', '--test-reporter=spec', '--test-concurrency=1', ...files],
        path.join(tests, 'train', 'native.test.js'),
      ],
      {
        env: {
          ...env,
          ADMIN_NMT_ISA: isa,
          LD_PRELOAD: preload,
          // V8 frees nothing at exit, and takes signals itself. A test asks for more memory than there is.
          ASAN_OPTIONS: 'detect_leaks=0:handle_segv=0:allow_user_segv_handler=1:allocator_may_return_null=1',
          UBSAN_OPTIONS: 'print_stacktrace=1',
        },
      },
    );
  }
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

if (process.argv[2] !== 'threads') sanitizeTests();
sanitizeThreads();
