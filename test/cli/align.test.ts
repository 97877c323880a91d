import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { after, test } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { writeToyCorpus } from '../../src/data/toy-language.js';
import { runProgram } from './run-program.js';

const folder = fs.mkdtempSync(path.join(tmpdir(), 'admin-nmt-align-'));
after(() => fs.rmSync(folder, { recursive: true }));
writeToyCorpus(folder, { pairs: 300 });
const at = (name: string) => path.join(folder, name);
const read = (name: string) => fs.readFileSync(at(name), 'utf8');
const run = (...args: string[]) => runProgram(args, { cwd: folder });

test('align: a line of links for each pair, the same wherever it goes and whatever the text lies in', () => {
  const { status, stdout, stderr } = run('align', '-s', 'train.toa', '-t', 'train.tob');
  assert.equal(status, 0, stderr);
  assert.match(stderr, /^300 pairs, \d+ links, \d\.\d a pair$/m);
  const lines = stdout.trimEnd().split('\n');
  assert.equal(lines.length, 300);
  for (const line of lines) assert.match(line, /^(\d+-\d+( \d+-\d+)*)?$/);
  const [source, target] = ['toa', 'tob'].map((language) => read(`train.${language}`).trimEnd().split('\n'));
  fs.writeFileSync(at('both.tsv.gz'), gzipSync(source.map((line, i) => `${line}\t${target[i]}\n`).join('')));
  assert.equal(run('align', '-s', 'both.tsv.gz', '-o', 'links.gz', '--quiet').stderr, '');
  assert.equal(gunzipSync(fs.readFileSync(at('links.gz'))).toString(), stdout);
  const few = run('align', '-s', 'train.toa', '-t', 'train.tob', '--symmetry', 'intersection').stdout;
  assert.ok(few.length < stdout.length);
});

test('a dataset takes the links', () => {
  fs.mkdirSync(at('own'));
  for (const language of ['toa', 'tob'])
    fs.copyFileSync(at(`train.${language}`), at(`own/train.${language}`));
  assert.equal(run('align', '-s', 'own/train.toa', '-t', 'own/train.tob', '-o', 'own/train.auto').status, 0);
  const flags = [
    '-s',
    'toa',
    '-t',
    'tob',
    '--trainpref',
    'own/train',
    '--destdir',
    'bin',
    '--vocab-size',
    '100',
  ];
  const { status, stderr } = run('preprocess', ...flags, '--align-suffix', 'auto');
  assert.equal(status, 0, stderr);
  assert.match(stderr, /alignment: \d+ links of tokens/);
});

test('what cannot be aligned is refused, and nothing is written', () => {
  const refused = (args: string[], expected: RegExp) => {
    const { status, stdout, stderr } = run('align', ...args, '-o', 'never');
    assert.deepEqual([status, stdout], [2, '']);
    assert.match(stderr, expected);
    assert.equal(fs.existsSync(at('never')), false);
  };
  refused(['-s', 'nope', '-t', 'train.tob'], /^error: nope: no such file/);
  refused(['-s', 'train.toa'], /^error: expected two texts, found --source alone\n {2}Give its translations/);
  refused(['-t', 'train.tob'], /--source <file>/);
  fs.writeFileSync(at('short.tob'), 'wiper jastin\n');
  refused(['-s', 'train.toa', '-t', 'short.tob'], /expected as many lines in both files/);
  refused(['-s', 'train.toa', '-t', 'train.tob', '--symmetry', 'grow'], /--symmetry <name>.*intersection/);
  refused(['-s', 'train.toa', '-t', 'train.tob', '--iterations', '0'], /Expected a whole number from 1/);
});
