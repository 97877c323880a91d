// npm run sanitize: builds the native engine with the address and undefined-behaviour sanitizers, beside the usual one,
// and runs the tests that use it. Needs g++ with its sanitizer libraries.
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import process from 'node:process';
import { build, root, run } from './install.mjs';

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
for (const isa of ['avx512', 'avx2', 'base']) {
  console.log(`\nWith ADMIN_NMT_ISA=${isa}:`);
  run(
    process.execPath,
    [
      ...['--test', '--test-reporter=spec', '--test-concurrency=1'],
      ...['ops', 'backend'].map((room) => path.join(root, 'dist', 'test', room)),
      path.join(root, 'dist', 'test', 'train', 'native.test.js'),
    ],
    {
      env: {
        ...env,
        ADMIN_NMT_ISA: isa,
        LD_PRELOAD: preload,
        // V8 frees nothing at exit, and takes signals itself.
        ASAN_OPTIONS: 'detect_leaks=0:handle_segv=0:allow_user_segv_handler=1',
        UBSAN_OPTIONS: 'print_stacktrace=1',
      },
    },
  );
}
