import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { after, test } from 'node:test';
import { packageRoot } from '../../src/common/files.js';
import { sentenceChrf } from '../../src/metrics/sacrebleu.js';
import { runProgram } from './run-program.js';

const RUN = path.join(packageRoot(), 'test/cli/fixtures/run-v1');
const FAST = ['--backend', 'cpu', '--max-len-a', '0', '--max-len-b', '5', '--quiet'];
const folder = mkdtempSync(path.join(tmpdir(), 'admin-nmt-search-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const run = (input: string, ...flags: string[]) =>
  runProgram(['translate', RUN, ...FAST, ...flags], { input, cwd: folder });

interface Hypothesis {
  text: string;
  score: number;
  utility?: number;
  missing?: string[];
}

/** The hypotheses of each line. */
function found(input: string, ...flags: string[]): Hypothesis[][] {
  const { stdout, stderr } = run(input, '--format', 'jsonl', ...flags);
  assert.equal(stderr, '');
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).hypotheses);
}

const textsOf = (lines: readonly Hypothesis[][]): string[] => lines.flat().map(({ text }) => text);
const TEXT = 'il cat\nthe dog\n';

test('samples are drawn by the seed: as many as nbest, whatever else the text has', () => {
  const sampled = (input: string, ...flags: string[]) =>
    textsOf(found(input, '--sampling', '--nbest', '3', ...flags));
  const first = sampled(TEXT, '--seed', '5');
  assert.equal(new Set(first).size, 6);
  assert.deepEqual(sampled(TEXT, '--seed', '5', '--batch-size', '1'), first);
  assert.deepEqual(sampled('il cat\n', '--seed', '5'), first.slice(0, 3));
  assert.notDeepEqual(sampled(TEXT, '--seed', '6'), first);
  const greedy = textsOf(found(TEXT, '--beam', '1'));
  for (const narrow of [
    ['--sampling-topk', '1'],
    ['--sampling-topp', '0.001'],
    ['--temperature', '0.001'],
  ])
    assert.deepEqual([...new Set(sampled(TEXT, ...narrow))], greedy.slice(0, 1), narrow[0]);
});

test('groups shun each other', () => {
  const groups = (strength: string) =>
    textsOf(
      found(
        'il cat\n',
        '--beam',
        '3',
        '--nbest',
        '3',
        '--diverse-beam-groups',
        '3',
        '--diverse-beam-strength',
        strength,
      ),
    );
  assert.equal(new Set(groups('0')).size, 1);
  assert.equal(new Set(groups('9').map((text) => text.split(' ')[0])).size, 3);
});

test('phrases behind a tab, terms of a file, and wishes in JSON', () => {
  const [[first], [second]] = found('il cat\tdog albero\tbaum\nthe dog\n', '--constraints', 'ordered');
  assert.match(first.text, /\bdog albero\b.*\bbaum\b/);
  assert.deepEqual([first.missing, second.missing], [[], undefined]);
  writeFileSync(path.join(folder, 'terms.tsv'), '# animals\ncat\tgatto\nthe dog\tbaum dog\n');
  const [[cat], [dog], [none]] = found(`${TEXT}il\n`, '--terminology', 'terms.tsv');
  assert.match(cat.text, /\bgatto\b/);
  assert.match(dog.text, /\bbaum dog\b/);
  assert.equal(none.missing, undefined);
  const wish = { source: 'il cat', prefix: 'dog', forbidden: [cat.text.split(' ')[0]], minLen: 2, maxLen: 2 };
  const [[wished]] = found(`${JSON.stringify(wish)}\n`, '--input-format', 'jsonl');
  assert.match(wished.text, /^dog \S+$/);
  assert.ok(!wished.text.includes(wish.forbidden[0]));
});

test('rules of all lines', () => {
  const [[{ text }]] = found('il cat\n', '--no-repeat-ngram-size', '1', '--min-len', '5');
  assert.equal(new Set(text.split(' ')).size, 5);
  const [[penalized]] = found('il cat\n', '--repetition-penalty', '50', '--min-len', '5');
  assert.equal(new Set(penalized.text.split(' ')).size, 5);
});

test('the translation that is most like the others: of a beam, and of samples', () => {
  const flags = ['--sampling', '--seed', '5', '--nbest', '6'];
  const drawn = textsOf(found('il cat\n', ...flags));
  const ranked = found('il cat\n', ...flags, '--beam', '6', '--mbr', 'chrf')[0];
  const mean = (text: string) =>
    drawn.reduce((sum, other) => sum + sentenceChrf(text, [other]).score, 0) / drawn.length;
  assert.deepEqual(ranked.map(({ text }) => text).sort(), drawn.toSorted());
  for (const { text, utility } of ranked) assert.ok(Math.abs(utility! - mean(text)) < 1e-5);
  const [best] = drawn.toSorted((a, b) => mean(b) - mean(a));
  assert.equal(run('il cat\n', ...flags.slice(0, 3), '--beam', '6', '--mbr', 'chrf').stdout, `${best}\n`);
  const { stdout } = run('il cat\n', '--mbr', 'bleu', '--nbest', '2', '--format', 'nbest');
  assert.match(stdout, /^(0 \|\|\| .* \|\|\| F0=-[\d.]+ Utility=[\d.]+ \|\|\| -[\d.]+\n){2}$/);
});

test('what cannot be had is told with its line, what cannot be meant with its key', () => {
  writeFileSync(path.join(folder, 'twice.tsv'), 'cat\tgatto\ncat\tdog\n');
  for (const [input, flags, message] of [
    ['il\til the\n', ['--constraints', 'unordered', '--sampling'], /found by a beam; found decode\.sampling/],
    [
      'il\tzebra\n',
      ['--constraints', 'unordered'],
      /^error: line 1: .*found 'zebra', of which it lacks the only one/,
    ],
    [
      '\nil\tthe dog il cat sees x\n',
      ['--constraints', 'unordered'],
      /^error: line 2: .* takes 6 tokens, and it may have 5/,
    ],
    [
      'il\n',
      ['--terminology', 'twice.tsv'],
      /twice\.tsv:2: expected one translation of 'cat', found 'gatto' and 'dog'/,
    ],
    ['il\n', ['--terminology', 'none.tsv'], /none\.tsv/],
    ['il\n', ['--sampling-topp', '0.5'], /are about decode\.sampling/],
    ['il\n', ['--diverse-beam-groups', '2'], /multiple of decode\.diverse-beam-groups; found 5 and 2/],
    ['il\n', ['--mbr', 'chrf', '--beam', '1'], /decode\.mbr chooses among decode\.beam translations/],
    [
      '{"source": "il", "prefx": "x"}\n',
      ['--input-format', 'jsonl'],
      /^error: line 1: expected the keys .*, found 'prefx'/,
    ],
  ] as const) {
    const { status, stdout, stderr } = run(input, ...flags);
    assert.deepEqual([status, stdout.trim()], [2, ''], flags.join(' '));
    assert.match(stderr, message);
  }
});
