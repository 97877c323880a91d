import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import process from 'node:process';
import { after, test } from 'node:test';
import { packageRoot } from '../../src/common/files.js';
import { writeToyCorpus } from '../../src/data/toy-language.js';

/** The programs of docs/library.md, as they stand, in a project that has nothing but this package. */

const project = fs.mkdtempSync(path.join(tmpdir(), 'admin-nmt-library-'));
after(() => fs.rmSync(project, { recursive: true }));
fs.mkdirSync(path.join(project, 'node_modules'));
fs.symlinkSync(packageRoot(), path.join(project, 'node_modules', 'admin-nmt'));
const write = (name: string, content: string) => fs.writeFileSync(path.join(project, name), content);

const text = fs.readFileSync(path.join(packageRoot(), 'docs/library.md'), 'utf8');
const programs = [...text.matchAll(/```js\n\/\/ (\S+)\.mjs\n([\s\S]*?)```/g)].map(([, name, code]) => ({
  name,
  code,
}));

function node(...args: string[]) {
  return spawnSync(process.execPath, args, { cwd: project, encoding: 'utf8' });
}

test('the types compile under strict, those of the libraries too, where nothing else is installed', () => {
  write('package.json', '{ "type": "module" }');
  const compilerOptions = {
    ...{ strict: true, skipLibCheck: false, noEmit: true, target: 'es2022', module: 'nodenext', types: [] },
  };
  // What a program itself takes of Node needs the types of Node: those are no part of this package.
  const own = programs.filter(({ code }) => !/node:|process\./.test(code)).map(({ name }) => `${name}.ts`);
  assert.ok(own.length >= 2);
  const entries = "export * from 'admin-nmt';\nexport * from 'admin-nmt/sacrebleu';\n";
  write('entries.ts', `${entries}export * as tokenizer from 'admin-nmt/tokenizer';\n`);
  for (const { name, code } of programs) write(`${name}.ts`, code);
  const everything = ['entries.ts', ...own];
  write('tsconfig.json', JSON.stringify({ compilerOptions, files: everything }));
  const tsc = path.join(packageRoot(), 'node_modules/typescript/bin/tsc');
  const { status, stdout } = node(tsc, '-p', '.');
  assert.equal(status, 0, stdout);
  // With an option that there is not, it does not compile: the types are seen.
  write('wrong.ts', "import { Translator } from 'admin-nmt';\nawait Translator.load('run', { beam: 4 });\n");
  write('tsconfig.json', JSON.stringify({ compilerOptions, files: ['wrong.ts'] }));
  assert.match(node(tsc, '-p', '.').stdout, /'beam' does not exist in type 'TranslatorOptions'/);
});

const expected: Record<string, RegExp> = {
  train:
    /^ω of the encoder: (\d\.\d\d ?)+\n((train|valid) \d+: [\d.]+\n)+60 updates, since train\.max-update 60 is reached; best validation loss [\d.]+\n$/,
  translate: /^\[ '.*', '.*' \]\n(0 ka lo → .* -?\d+\.\d\d true\n){2}(1 mi → .* -?\d+\.\d\d true\n){2}$/,
  shortlist: /^run\/shortlist\.safetensors \[ '.*', '.*' \]\n$/,
  stream: /^5 translations\n$/,
  score: /^BLEU \d+\.\d nrefs:1\|.*impl:admin-nmt.*\nchrF2 \d+\.\d nrefs:1.*\n$/,
};

test('each of them runs', async (t) => {
  writeToyCorpus(path.join(project, 'text'), { pairs: 2000 });
  for (const name of ['toa', 'tob']) {
    const file = path.join(project, 'text', `test.${name}`);
    fs.writeFileSync(file, fs.readFileSync(file, 'utf8').split('\n').slice(0, 5).join('\n'));
  }
  assert.deepEqual(programs.map(({ name }) => name).sort(), Object.keys(expected).sort());
  for (const { name, code } of programs) {
    await t.test(name, () => {
      write(`${name}.mjs`, code);
      const { status, stdout, stderr } = node(`${name}.mjs`);
      assert.equal(status, 0, stderr);
      assert.match(stdout, expected[name]);
      if (name !== 'train') assert.equal(stderr, '', 'nothing is printed but by the program');
      else assert.match(stderr, /^\[info\] Making data-bin/);
    });
  }
});

test('an abort signal saves and ends; the same call goes on', () => {
  write(
    'abort.mjs',
    `import { InterruptedError, train } from 'admin-nmt';
    const stop = new AbortController();
    const config = [{ preset: 'tiny' }, { data: { 'source-lang': 'toa', 'target-lang': 'tob', root: 'text', train: 'train',
      valid: 'valid', destdir: 'data-bin' }, train: { 'save-dir': 'other', 'max-update': 40, 'log-interval': 5 } }];
    const seen = [];
    const onProgress = ({ num_updates }) => { seen.push(num_updates); if (num_updates === 10) stop.abort(); };
    await train(config, { signal: stop.signal, onProgress }).then(
      () => console.log('no end'), (error) => console.log(error instanceof InterruptedError, seen.join()));
    const { updates } = await train(config);
    console.log(updates);
    await train([...config, { train: { lrr: 1 } }]).catch(({ name, message }) => console.log(name, message));`,
  );
  const { stdout, stderr } = node('abort.mjs');
  assert.equal(
    stdout,
    "true 5,10\n40\nUserError train.lrr: unknown key 'train.lrr'\n  Did you mean 'train.lr'?\n",
    stderr,
  );
});

test('limits of a shortlist that make no sense are refused by their name', () => {
  write(
    'limits.mjs',
    `import { makeShortlist } from 'admin-nmt';
    for (const options of [{ best: 0 }, { first: -1 }, { pairs: 1.5 }])
      await makeShortlist('run', options).catch(({ name, message }) => console.log(name, message));`,
  );
  assert.equal(
    node('limits.mjs').stdout,
    'UserError best: expected a whole number from 1, found 0\n' +
      'UserError first: expected a whole number from 0, found -1\n' +
      'UserError pairs: expected a whole number from 1, found 1.5\n',
  );
});
