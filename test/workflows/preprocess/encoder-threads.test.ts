import assert from 'node:assert/strict';
import * as path from 'node:path';
import { test } from 'node:test';
import { mapInOrder } from '../../../src/common/in-order.js';
import { Dictionary } from '../../../src/data/dictionary.js';
import { type PairBytes, readPairBytes } from '../../../src/data/pair-bytes.js';
import type { EncodedPairs } from '../../../src/data/pair-encoder.js';
import { type BlockEncoder, type EncoderSetup, encodeHere } from '../../../src/data/preprocess-options.js';
import { SymbolTable } from '../../../src/data/symbol-table.js';
import { BpeTrainer } from '../../../src/tokenizer/index.js';
import { encodeOnThreads, startEncoder } from '../../../src/workflows/preprocess/encoder-threads.js';
import { parsePieceModel } from '../../../src/workflows/preprocess/piece-model.js';
import { refusal, scratchFolder, writeFiles } from '../../data/scratch.js';
import { makeText } from '../../tokenizer/sample-text.js';

const text = makeText(21, 400);
const trainer = new BpeTrainer({ vocabSize: 900 });
for (const line of text.slice(0, 100)) trainer.add(line);
const model = parsePieceModel(trainer.train().serialize());
const rare = '\u{1f980}'; // no piece has it
const given = Dictionary.fromCounts(
  [...model.symbols.flatMap((symbol) => symbol ?? []), rare].map((s) => [s, 1]),
);

const lines = Array.from({ length: 40 }, (_, round) =>
  text.map((line, i) => (i % 7 === 0 ? `${line} ${round}` : i % 11 === 0 ? rare : line)),
).flat();
const folder = writeFiles(scratchFolder(), {
  source: lines.join('\n'),
  target: [...lines.slice(1), '\u3000'].join('\n'),
});
const files = ['source', 'target'].map((name) => path.join(folder, name));

const setupOf = (dictionary?: Dictionary): EncoderSetup => {
  const side = () => ({ model, numbering: new SymbolTable(model, dictionary).numbering });
  return {
    sides: [side(), side()],
    options: {
      clean: { nfc: false, whitespace: true },
      filter: { minLength: 1, maxLength: 60, maxRatio: 4, deduplicate: true },
    },
    files,
  };
};

async function encode(encoder: BlockEncoder): Promise<EncodedPairs[]> {
  const encoded: EncodedPairs[] = [];
  try {
    const blocks = mapInOrder(readPairBytes(files), (block) => encoder.encode(block), encoder.width);
    for await (const block of blocks) encoded.push(block);
  } finally {
    await encoder.close();
  }
  return encoded;
}

test('any number of threads gives what this thread gives', async () => {
  for (const dictionary of [undefined, given]) {
    const expected = await encode(encodeHere(setupOf(dictionary)));
    assert.ok(expected.length > 3 && expected.some(({ dropped }) => dropped['max-ratio'] > 0));
    for (const count of [1, 2, 3]) {
      assert.deepEqual(await encode(encodeOnThreads(setupOf(dictionary), count)), expected);
    }
  }
});

test('a little text is encoded here, and more than that on no more threads than are asked for', async () => {
  const little = startEncoder(setupOf(), 2);
  assert.equal(little.width, 1);
  const large = { ...setupOf(), files: Array.from({ length: 8 }, () => files[0]) };
  const encoders = [startEncoder(large, 1), startEncoder(large, 2)];
  assert.deepEqual(
    encoders.map(({ width }) => width),
    [1, 6],
  );
  for (const encoder of [little, ...encoders]) await encoder.close();
});

/** A block of one line. */
const blockOf = (bytes: Uint8Array, line: number): PairBytes =>
  ['a', 'b'].map((name) => ({ name, line, bytes: bytes.slice(), ends: Int32Array.of(bytes.length) }));

test('what is wrong with a line is told as this thread tells it', async () => {
  const encoder = encodeOnThreads(setupOf(), 2);
  const bad = encoder.encode(blockOf(Uint8Array.of(0x61, 0xff), 12));
  const good = encoder.encode(blockOf(Uint8Array.of(0x61), 13));
  await assert.rejects(async () => bad, refusal(/^a:12: expected UTF-8, found the byte 0xff at byte 2/));
  assert.equal((await good).pairs, 1);
  await encoder.close();
});

test('a thread that ends is an error for all that waits for it and comes after', async () => {
  const encoder = encodeOnThreads(setupOf(), 1);
  const nothing = null as unknown as PairBytes[number];
  const broken = encoder.encode([{ ...blockOf(Uint8Array.of(0x61), 1)[0], ends: nothing as never }]);
  const next = encoder.encode(blockOf(Uint8Array.of(0x61), 2));
  await assert.rejects(async () => broken, TypeError);
  await assert.rejects(async () => next, TypeError);
  await assert.rejects(async () => encoder.encode(blockOf(Uint8Array.of(0x61), 3)), TypeError);
  await encoder.close();
});
