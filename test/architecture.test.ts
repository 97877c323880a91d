import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { drawing, drawn, files, floor, imports, resolve, room, textOf } from '../scripts/house.js';
import { packageRoot } from '../src/common/files.js';

/** Libraries that belong to one room alone. */
const LIBRARY_OWNERS: Record<string, string> = {
  '@tensorflow/tfjs-core': 'ops',
  '@tensorflow/tfjs-backend-wasm': 'backend',
  '@tensorflow/tfjs-backend-cpu': 'backend',
  commander: 'cli',
  'cli-progress': 'common',
  yaml: 'config',
  zod: 'config',
};

/** The kernel contract: what a backend sees of ops. */
const CONTRACT = ['ops/tf.ts', 'ops/kernels.ts'];

test('every room stands on a floor', () => {
  for (const file of files)
    assert.notEqual(floor(room(file)), -1, `src/${file} is in a room that has no floor`);
});

test('a file imports only from its own room or a lower floor', () => {
  for (const entry of imports.filter(({ specifier }) => specifier.startsWith('.'))) {
    const target = resolve(entry);
    const [here, there] = [room(entry.from), room(target)];
    const allowed =
      here === there || floor(there) < floor(here) || (here === 'backend' && CONTRACT.includes(target));
    assert.ok(
      allowed,
      `src/${entry.from} (floor ${floor(here)}) imports src/${target} (floor ${floor(there)})`,
    );
  }
});

test('a library is imported by the room that owns it alone', () => {
  for (const { from, specifier } of imports) {
    const owner = LIBRARY_OWNERS[specifier];
    if (owner !== undefined)
      assert.equal(room(from), owner, `src/${from} imports ${specifier}, which belongs to src/${owner}`);
  }
});

test('the command line, standard output and the end of the process are the business of src/cli alone', () => {
  for (const file of files.filter((name) => room(name) !== 'cli')) {
    const text = textOf(file).replaceAll(/'[^'\n]*'/g, '');
    const [found] = /\bprocess\.(argv|stdout|exit\()/.exec(text) ?? [];
    assert.equal(found, undefined, `src/${file}`);
  }
});

test('src/metrics and src/tokenizer/index load no tensors, and metrics no Node modules', () => {
  for (const { from, specifier } of imports) {
    if (room(from) === 'metrics')
      assert.ok(!specifier.startsWith('node:'), `src/${from} imports ${specifier}`);
  }
});

test('a score loads neither tensors nor the schema of the config', () => {
  const loaded = new Set(['cli/main.ts', 'cli/score-command.ts', 'workflows/score/score.ts']);
  for (const file of loaded) {
    const direct = imports.filter(({ from, typeOnly, dynamic }) => from === file && !typeOnly && !dynamic);
    for (const entry of direct) {
      loaded.add(entry.specifier.startsWith('.') ? resolve(entry) : entry.specifier);
    }
  }
  for (const library of ['zod', 'yaml', '@tensorflow/tfjs-core']) assert.ok(!loaded.has(library), library);
});

test('no circle of imports, those of types included', () => {
  const graph = new Map<string, string[]>(files.map((file) => [file, []]));
  for (const entry of imports) {
    if (entry.specifier.startsWith('.')) graph.get(entry.from)?.push(resolve(entry));
  }
  const done = new Set<string>();
  const visit = (file: string, trail: readonly string[]): void => {
    assert.ok(
      !trail.includes(file),
      `circle of imports: ${[...trail.slice(trail.indexOf(file)), file].join(' → ')}`,
    );
    if (done.has(file)) return;
    for (const next of graph.get(file) ?? []) visit(next, [...trail, file]);
    done.add(file);
  };
  for (const file of files) visit(file, []);
});

/** Most lines of a source file. */
const MOST_LINES = 300;

test(`a source file has at most ${MOST_LINES} lines`, () => {
  const sources = ['src', 'scripts'].flatMap((folder) =>
    readdirSync(path.join(packageRoot(), folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => /\.(ts|mjs|py)$/.test(file))
      .map((file) => path.posix.join(folder, file.split(path.sep).join('/'))),
  );
  for (const file of sources) {
    const lines = readFileSync(path.join(packageRoot(), file), 'utf8').trimEnd().split('\n').length;
    assert.ok(lines <= MOST_LINES, `${file} has ${lines} lines`);
  }
});

test('no tensor is read synchronously outside of a backend: a device has to be waited for', () => {
  for (const file of files.filter((name) => room(name) !== 'backend')) {
    const found = /\b(?:data|array|buffer|bytes)Sync\b/.exec(textOf(file));
    assert.equal(found, null, `src/${file} has ${found?.[0]}: await the values (see ops/reading.ts)`);
  }
});

test('every test mirrors a source file or names a whole', () => {
  const tests = readdirSync(path.join(packageRoot(), 'test'), { recursive: true, encoding: 'utf8' })
    .map((file) => file.split(path.sep).join('/'))
    .filter((file) => file.endsWith('.test.ts') && file.includes('/'));
  for (const file of tests)
    assert.ok(
      floor(room(file)) !== -1 || /^(pipeline|scripts|support)\//.test(file),
      `test/${file} mirrors no room`,
    );
});

test('docs/architecture.md draws the house as it stands (npm run house)', () => {
  assert.equal(drawn(), drawing());
});
