import assert from 'node:assert/strict';
import { test } from 'node:test';
import { JsonlList } from '../../src/decode/jsonl-list.js';
import { listCodec, OPTIONS, readAll, sourceOf } from './given-lists.js';

const RECORD = {
  line: 2,
  source: 'a bb',
  hypotheses: [
    { text: 'x', score: -1, tokens: ['7', '8', '</s>'], tokenLogProbs: [-1, -2, -3] },
    { text: '', tokens: [] },
  ],
  more: true,
};

test('hypotheses get a field; the source is that of the record, or of a file, where lines count from 1', async () => {
  const own = await readAll(new JsonlList(null, listCodec, OPTIONS), [JSON.stringify(RECORD)]);
  assert.deepEqual(own.pairs, [
    [
      [1, 2, 2],
      [[1, 2], []],
    ],
  ]);
  const [first, second] = RECORD.hypotheses;
  const hypotheses = [
    { ...first, Forced: -3 },
    { ...second, Forced: 0 },
  ];
  assert.deepEqual(JSON.parse(own.written), { ...RECORD, hypotheses });
  const other = new JsonlList(sourceOf('', 'ccc'), listCodec, { ...OPTIONS, tokens: true });
  const { pairs } = await readAll(other, [JSON.stringify(RECORD)]);
  assert.deepEqual(pairs, [
    [
      [3, 2],
      [[7, 8, 2], [2]],
    ],
  ]);
});

test('what is no record is named', async () => {
  const wrong = ['{', '{"line":1}', JSON.stringify({ ...RECORD, hypotheses: [{}] }), 'null'];
  for (const line of wrong)
    await assert.rejects(
      readAll(new JsonlList(null, listCodec, OPTIONS), [JSON.stringify(RECORD), line]),
      /^UserError: list:2: expected a list of translations, found /,
    );
  const textOnly = JSON.stringify({ ...RECORD, hypotheses: [{ text: 'x' }] });
  await assert.rejects(
    readAll(new JsonlList(null, listCodec, { ...OPTIONS, tokens: true }), [textOnly]),
    /found a hypothesis without tokens/,
  );
});
