import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NbestList, withFeature } from '../../src/decode/nbest-list.js';
import { listCodec, OPTIONS, readAll, sourceOf } from './given-lists.js';

const LINES = [
  '0 ||| x yy ||| F0=-1 ||| -0.5',
  '0 |||  ||| A= 1 2 ||| 0',
  '2 ||| 4 5 ||| A= 3 ||| 0 ||| 0-0',
];

test('each line is a translation; its features get one more, and all else stays', async () => {
  const list = new NbestList(sourceOf('a', 'b', 'cc'), listCodec, OPTIONS);
  const { pairs, written } = await readAll(list, LINES);
  assert.deepEqual(pairs, [[[1, 2], [[1, 2, 2]]], [[1, 2], [[]]], [[2, 2], [[1, 1, 2]]]]); // biome-ignore format: one line
  assert.deepEqual(written.split('\n'), [
    '0 ||| x yy ||| F0=-1 Forced= -6 ||| -0.5',
    '0 |||  ||| A= 1 2 Forced= 0 ||| 0',
    '2 ||| 4 5 ||| A= 3 Forced= -6 ||| 0 ||| 0-0',
    '',
  ]);
});

test('tokens as they stand', async () => {
  const list = new NbestList(sourceOf('a', 'b', 'cc'), listCodec, { ...OPTIONS, tokens: true });
  assert.deepEqual((await readAll(list, LINES.slice(2))).pairs, [[[2, 2], [[4, 5, 2]]]]);
});

test('a feature of the name is replaced, with all its numbers', () => {
  assert.equal(withFeature('A= 1 Forced= 2 3 B= 4', 'Forced', -1.5), 'A= 1 Forced= -1.5 B= 4');
  assert.equal(withFeature('Forced=2', 'Forced', Number.NEGATIVE_INFINITY), 'Forced= -inf');
  assert.equal(withFeature('', 'S', 0.1234567), 'S= 0.123457');
});

test('lines that are none are named', async () => {
  for (const line of ['0 | x', 'x ||| y ||| z', '0 ||| y', '-1 ||| x ||| y']) {
    const list = new NbestList(sourceOf('a'), listCodec, OPTIONS);
    await assert.rejects(
      readAll(list, [LINES[0], line]),
      /^UserError: list:2: expected a list of translations, found '/,
    );
  }
});
