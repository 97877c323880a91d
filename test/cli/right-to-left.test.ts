import assert from 'node:assert/strict';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { test } from 'node:test';
import { packageRoot } from '../../src/common/files.js';
import { scratchFolder } from './run-folders.js';
import { runProgram } from './run-program.js';

/** A run whose tokens are words, and one with the same weights that writes from right to left. */
const RUN = path.join(packageRoot(), 'test/cli/fixtures/run-v1');
const TURNED = path.join(scratchFolder(), 'turned');
cpSync(RUN, TURNED, { recursive: true, verbatimSymlinks: true });
const file = path.join(TURNED, 'config.yaml');
writeFileSync(
  file,
  readFileSync(file, 'utf8')
    .replace('model:\n  residual', 'model:\n  right-to-left: true\n  residual')
    .replace('destdir: ../../data', `destdir: ${path.join(packageRoot(), 'test/data')}`),
);

const FAST = ['--backend', 'cpu', '--quiet'];
const LENGTHS = ['--max-len-a', '0', '--max-len-b', '5', '--min-len', '3'];
const TEXT = 'il gatto\ncat the\n\nthe\n';

function run(command: string, folder: string, input: string, ...flags: string[]): string {
  const { stdout, stderr, status } = runProgram([command, folder, ...FAST, ...flags], { input });
  assert.equal(status, 0, stderr);
  return stdout;
}

interface Line {
  hypotheses: { text: string; tokens: string[]; tokenLogProbs: number[]; alignment: { links: number[][] } }[];
}
const linesOf = (stdout: string): Line[] =>
  stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
const turned = <T>(list: readonly T[]): T[] => [...list.slice(0, -1).reverse(), ...list.slice(-1)];

test('translations, their tokens, scores and alignments are those of the weights, turned', () => {
  const flags = [...LENGTHS, '--format', 'jsonl', '--alignment', 'hard'];
  const [written, read] = [RUN, TURNED].map((folder) => linesOf(run('translate', folder, TEXT, ...flags)));
  assert.ok(written[0].hypotheses[0].tokens.length >= 4);
  read.forEach(({ hypotheses: [found] }, i) => {
    const [other] = written[i].hypotheses;
    assert.equal(found.text, other.text.split(' ').reverse().join(' '));
    assert.deepEqual(found.tokens, turned(other.tokens));
    assert.deepEqual(found.tokenLogProbs, turned(other.tokenLogProbs));
    const last = other.tokens.length - 2;
    const links = other.alignment.links.map(([source, target]) => [source, last - target]);
    assert.deepEqual(found.alignment.links.toSorted(), links.toSorted());
  });
});

test('what it scores is what it has found', () => {
  const list = run('translate', TURNED, TEXT, ...LENGTHS, '--nbest', '3', '--beam', '3', '--format', 'nbest');
  const folder = scratchFolder();
  writeFileSync(path.join(folder, 'source'), TEXT);
  const source = path.join(folder, 'source');
  const scored = run(
    'evaluate',
    TURNED,
    list,
    '--nbest',
    '-',
    '--source',
    source,
    '--tokens',
    '--feature',
    'Own',
  );
  const scores = [...scored.matchAll(/F0= ?(\S+) .*Own= (\S+)/g)].map(([, found, own]) =>
    [found, own].map(Number),
  );
  assert.ok(scores.length > 6);
  for (const [found, own] of scores) assert.ok(Math.abs(found - own) < 1e-5, `${found} ${own}`);
});

test('it takes no prefix, and is in no ensemble with a model of the other direction', () => {
  const request = '{"source": "cat", "prefix": "the"}\n';
  const refusals = [
    [request, ['--input-format', 'jsonl'], /line 1: a model that writes from right to left .* prefix 'the'/],
    [
      'cat\n',
      ['--ensemble', RUN],
      /run-v1: expected a model that writes from right to left, as .*turned does/,
    ],
  ] as const;
  for (const [input, flags, message] of refusals) {
    const { status, stderr } = runProgram(['translate', TURNED, ...FAST, ...flags], { input });
    assert.equal(status, 2, stderr);
    assert.match(stderr, message);
  }
});

test('an export says that other programs give its translations turned', () => {
  const output = path.join(scratchFolder(), 'exported');
  const { status, stderr } = runProgram(['export', TURNED, '-f', 'safetensors', '-o', output]);
  assert.equal(status, 0, stderr);
  assert.match(stderr, /^warning: The model writes from right to left/m);
});
