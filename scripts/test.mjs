// npm test [-- PART…]: installs and builds what is missing, then runs every test file whose path holds one of
// the given parts (all of them without one) with node's test runner, one process more at a time than there are processors:
// many wait for the disk, or for a program that they have started.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { run as runTests } from 'node:test';
import { spec as Spec } from 'node:test/reporters';
import { pathToFileURL } from 'node:url';
import { build, root } from './install.mjs';
import { placeOf, processesOf, testFiles } from './test-files.mjs';

build();
const parts = process.argv.slice(2);
const processes = processesOf(testFiles(parts));
if (processes.length === 0) {
  console.error(`error: no test file matches ${parts.join(', ')}`);
  process.exit(2);
}
const entries = path.join(root, '.build', 'tests');
rmSync(entries, { recursive: true, force: true });
mkdirSync(entries, { recursive: true });
runTests({ files: processes.map(entryOf), concurrency: availableParallelism() + 1 })
  .on('test:fail', () => {
    process.exitCode = 1;
  })
  .compose(new Spec())
  .pipe(process.stdout);

/** What node runs for the files of a process: the file itself, or one that imports them all, named after the first and the last. */
function entryOf(files) {
  const places = files.map(placeOf);
  if (files.length === 1) return places[0];
  const name = [files[0], files.at(-1)]
    .map((file) => file.replace('.test.js', '').replaceAll('/', '.'))
    .join('-to-');
  const entry = path.join(entries, `${name}.mjs`);
  writeFileSync(
    entry,
    places.map((place) => `import ${JSON.stringify(pathToFileURL(place).href)};\n`).join(''),
  );
  return entry;
}
