import assert from 'node:assert/strict';
import * as path from 'node:path';
import { test } from 'node:test';
import { packageRoot } from '../../src/common/files.js';
import { runProgram } from './run-program.js';

const RUN = path.join(packageRoot(), 'test/cli/fixtures/run-v1');
const FAST = ['--backend', 'cpu', '--max-len-a', '0', '--max-len-b', '3', '--beam', '1', '--quiet'];

const translate = (input: string, ...flags: string[]) =>
  runProgram(['translate', RUN, ...FAST, '--format', 'fairseq', ...flags], { input });

const sourceTokens = (stdout: string): string[] =>
  stdout
    .split('\n')
    .filter((line) => line.startsWith('S-'))
    .map((line) => line.split('\t')[1]);

test('a tag is put before each line that is not blank', () => {
  const { stdout, stderr, status } = translate('cat\n\nil gatto\n', '--tag', 'the');
  assert.equal(status, 0, stderr);
  assert.deepEqual(sourceTokens(stdout), ['the cat', '', 'the il gatto']);
  const requests = '{"source": "cat"}\n{"source": "cat", "tag": "il"}\n';
  const mixed = translate(requests, '--tag', 'the', '--input-format', 'jsonl');
  assert.deepEqual(sourceTokens(mixed.stdout), ['the cat', 'il cat']);
});

test('what is no piece of the source dictionary is no tag', () => {
  for (const [input, flags, message] of [
    ['a\n', ['--tag', '<2fr>'], /tag that is a piece of the source dictionary, found '<2fr>'/],
    ['a\n', ['--target-lang', 'fr'], /found .<2fr>..*tag of a corpus of data\.train/s],
    ['a\n', ['--target-lang', '<2fr>'], /--target-lang: expected a language such as fr.*found '<2fr>'/],
    ['a\n', ['--target-lang', 'fr', '--tag', 'the'], /'--target-lang <lang>' cannot be used with .*'--tag/],
    [
      '{"source": "a"}\n{"source": "a", "tag": "</s>"}\n',
      ['--input-format', 'jsonl'],
      /line 2: .*found '<\/s>'/,
    ],
    ['{"source": "a", "tag": 2}\n', ['--input-format', 'jsonl'], /line 1: expected a text as tag, found 2/],
  ] as const) {
    const { status, stderr } = translate(input, ...flags);
    assert.equal(status, 2, stderr);
    assert.match(stderr, message);
  }
});
