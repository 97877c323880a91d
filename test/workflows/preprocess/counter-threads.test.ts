import assert from 'node:assert/strict';
import * as path from 'node:path';
import { test } from 'node:test';
import { mapInOrder } from '../../../src/common/in-order.js';
import { loadConfig } from '../../../src/config/load.js';
import { drawLines } from '../../../src/data/line-sample.js';
import { readPairBytes } from '../../../src/data/pair-bytes.js';
import { type BlockCounter, countHere } from '../../../src/data/preprocess-options.js';
import { countOnThreads, startCounter } from '../../../src/workflows/preprocess/counter-threads.js';
import { startPieceTrainer } from '../../../src/workflows/preprocess/piece-model.js';
import { refusal, scratchFolder, writeFiles } from '../../data/scratch.js';
import { makeText } from '../../tokenizer/sample-text.js';

const repeated = (seed: number): string[] => Array.from({ length: 12 }, () => makeText(seed, 400)).flat();
const lines = repeated(31);
const folder = writeFiles(scratchFolder(), {
  source: lines.join('\n'),
  target: repeated(32)
    .map((line) => `${line}  <s>`)
    .join('\n'),
});
const files = ['source', 'target'].map((name) => path.join(folder, name));
const { tokenizer } = loadConfig({ sets: ['data.tokenizer.vocab-size=700'] }).config.data;
const setup = { joint: true, clean: { nfc: false, whitespace: true }, files };

/** The bytes of the models, and the pairs that they were trained on. */
async function train(counter: BlockCounter): Promise<{ pairs: number; models: string[] }> {
  let pairs = 0;
  try {
    const blocks = mapInOrder(readPairBytes(files), (block) => counter.add(block), counter.width);
    for await (const count of blocks) pairs += count;
    const [source, target] = await counter.train(() => {});
    const models = target === source ? [source] : [source, target];
    return { pairs, models: models.map((model) => Buffer.from(model.serialize()).toString('latin1')) };
  } finally {
    await counter.close();
  }
}

test('words that are counted on any number of threads give the tokenizers of one', async () => {
  for (const joint of [true, false]) {
    const expected = await train(countHere(() => startPieceTrainer(tokenizer), { ...setup, joint }));
    assert.equal(expected.pairs, lines.length);
    assert.equal(expected.models.length, joint ? 1 : 2);
    for (const count of joint ? [1, 3] : [2]) {
      assert.deepEqual(await train(countOnThreads(tokenizer, { ...setup, joint }, count)), expected);
    }
  }
});

test('of a long text a thread learns, whoever counts', async () => {
  const long = { ...setup, joint: false, files: Array.from({ length: 20 }, () => files[0]) };
  const expected = await train(countHere(() => startPieceTrainer(tokenizer), long));
  const counter = startCounter(tokenizer, long, 1);
  assert.equal(counter.width, 1);
  assert.deepEqual(await train(counter), expected);
});

test('what is wrong with a vocabulary is told as this thread tells it', async () => {
  const wrong = { ...tokenizer, vocabSize: 1_000_000 };
  const complaint = refusal(/^expected a vocabulary that the text can give, found one of 1000000 pieces/);
  await assert.rejects(() => train(countHere(() => startPieceTrainer(wrong), setup)), complaint);
  await assert.rejects(() => train(countOnThreads(wrong, { ...setup, joint: false }, 2)), complaint);
});

test('learning is ended by a signal', async () => {
  for (const milliseconds of [0, 150]) {
    const counter = countOnThreads({ ...tokenizer, vocabSize: 30_000 }, setup, 2);
    for await (const block of readPairBytes(files)) await counter.add(block);
    const controller = new AbortController();
    setTimeout(() => controller.abort(new Error('stopped by hand')), milliseconds);
    await assert.rejects(
      counter.train(() => {}, controller.signal),
      /stopped by hand/,
    );
  }
});

test('any number of threads draw the same lines', async () => {
  const all = await train(countHere(() => startPieceTrainer(tokenizer), setup));
  const drawn = drawLines(2 * lines.length, lines.length / 2);
  const expected = await train(countHere(() => startPieceTrainer(tokenizer), { ...setup, drawn }));
  assert.notDeepEqual(expected.models, all.models);
  assert.deepEqual(await train(countOnThreads(tokenizer, { ...setup, drawn }, 2)), expected);
});

test('what is wrong with a line is told by the thread that has it', async () => {
  const counter = startCounter(tokenizer, { ...setup, files: Array.from({ length: 20 }, () => files[0]) }, 2);
  assert.equal(counter.width, 6);
  const bytes = Uint8Array.of(0x61, 0);
  const block = ['a', 'b'].map((name) => ({ name, line: 5, bytes: bytes.slice(), ends: Int32Array.of(2) }));
  await assert.rejects(
    async () => counter.add(block),
    refusal(/^a:5: expected text, found a NUL byte at byte 2/),
  );
  await counter.close();
});
