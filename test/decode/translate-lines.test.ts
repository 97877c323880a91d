import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { TextCodec, whiteSpaceSegmenter } from '../../src/decode/text-codec.js';
import { type TranslateOptions, translateLines } from '../../src/decode/translate-lines.js';
import type { Translation } from '../../src/decode/translation-format.js';
import { hashTable, logSoftmax, TableModel } from './table-model.js';

const WORDS = ['<s>', '<pad>', '</s>', '<unk>', ...'abcdefghijklmnop'];
const dictionary = {
  size: WORDS.length,
  indexOf: (symbol: string) => Math.max(WORDS.indexOf(symbol), WORDS.includes(symbol) ? 0 : 3),
  symbolOf: (id: number) => WORDS[id],
};
const side = { segmenter: whiteSpaceSegmenter, dictionary };
const codec = new TextCodec(side, side);

/** Copies its source, surely. */
const copying = new TableModel(WORDS.length, (source, prefix) =>
  logSoftmax(WORDS.map((_, id) => (id === source[prefix.length] ? 0 : -40 - id))),
);

const OPTIONS: TranslateOptions = {
  beam: 3,
  nbest: 1,
  lenpen: 1,
  maxLenA: 1,
  maxLenB: 5,
  minLen: 1,
  maxPositions: 40,
  maxTokens: 60,
  batchSize: 4,
  chunk: 7,
};

async function translate(
  lines: readonly string[],
  model = copying,
  options: Partial<TranslateOptions> = {},
): Promise<Translation[]> {
  async function* source(): AsyncGenerator<string> {
    yield* lines;
  }
  const found: Translation[] = [];
  for await (const entry of translateLines(source(), model, codec, { ...OPTIONS, ...options }))
    found.push(entry);
  return found;
}

/** Lines of many lengths, every fifth blank in one way or another. */
const LINES = Array.from({ length: 53 }, (_, i) =>
  i % 5 === 3
    ? ' \t '.repeat(i % 2)
    : Array.from({ length: 1 + ((i * 7) % 19) }, (_, j) => WORDS[4 + ((i * j + i) % 16)]).join(' '),
);

describe('one translation for each line', () => {
  test('in order, blank lines blank', async () => {
    const found = await translate(LINES);
    assert.deepEqual(
      found.map(({ index, source }) => [index, source]),
      LINES.map((line, i) => [i, line]),
    );
    assert.deepEqual(
      found.map(({ hypotheses }) => hypotheses[0].text),
      LINES.map((line) => line.trim()),
    );
  });

  test('whatever the batches and the chunks', async () => {
    const model = new TableModel(WORDS.length, hashTable(WORDS.length, 5));
    const expected = await translate(LINES, model, { nbest: 3 });
    assert.equal(Math.max(...expected.map(({ hypotheses }) => hypotheses.length)), 3);
    for (const options of [
      { batchSize: 1 },
      { batchSize: 64, maxTokens: 10_000 },
      { chunk: 1 },
      { chunk: 1000 },
    ]) {
      assert.deepEqual(await translate(LINES, model, { nbest: 3, ...options }), expected);
    }
    assert.equal(model.open, 0);
  });

  test('no line at all', async () => {
    assert.deepEqual(await translate([]), []);
  });

  test('unknown words become <unk>', async () => {
    const [{ sourceTokens, hypotheses }] = await translate(['a zebra b']);
    assert.deepEqual(sourceTokens, ['a', '<unk>', 'b']);
    assert.equal(hypotheses[0].text, 'a <unk> b');
  });

  test('nothing that is read breaks the line', async () => {
    const breaking = new TextCodec(side, {
      segmenter: { encode: whiteSpaceSegmenter.encode, decode: (pieces) => pieces.join('\r\n') },
      dictionary,
    });
    assert.equal(breaking.decode([4, 5, 6, 2]), 'a b c');
  });
});

describe('a line with more tokens than positions', () => {
  test('is cut and told of', async () => {
    const told: [number, number][] = [];
    const long = Array.from({ length: 500 }, (_, i) => WORDS[4 + (i % 16)]);
    const found = await translate(['a', long.join(' '), 'b'], copying, {
      onCut: (index, length) => told.push([index, length]),
    });
    assert.deepEqual(told, [[1, 501]]);
    assert.deepEqual(
      found.map(({ hypotheses }) => hypotheses[0].text),
      ['a', long.slice(0, 39).join(' '), 'b'],
    );
  });
});

describe('events', () => {
  test('every line is counted', async () => {
    let done = 0;
    await translate(LINES, copying, {
      onBatch: (lines) => {
        done += lines;
      },
    });
    assert.equal(done, LINES.length);
  });
});
