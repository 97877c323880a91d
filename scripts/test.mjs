// npm test [-- PART…]: installs and builds what is missing, then runs every test file whose path holds one of
// the given parts (all of them without one) with node's test runner, as many at a time as there are processors.
import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { run as runTests } from 'node:test';
import { spec as Spec } from 'node:test/reporters';
import { build, root } from './install.mjs';

build();
const folder = path.join(root, 'dist', 'test');
const parts = process.argv.slice(2);
const files = readdirSync(folder, { recursive: true })
  .filter(
    (file) => file.endsWith('.test.js') && (parts.length === 0 || parts.some((part) => file.includes(part))),
  )
  .sort()
  .map((file) => path.join(folder, file));
if (files.length === 0) {
  console.error(`error: no test file matches ${parts.join(', ')}`);
  process.exit(2);
}
runTests({ files, concurrency: availableParallelism() })
  .on('test:fail', () => {
    process.exitCode = 1;
  })
  .compose(new Spec())
  .pipe(process.stdout);
