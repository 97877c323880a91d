import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { EOS, UNK } from '../../../src/data/dictionary.js';
import { Aligner, type AlignerOptions } from '../../../src/decode/alignment/aligner.js';
import type { ForcedAttention } from '../../../src/decode/alignment/attention.js';
import { TextCodec, whiteSpaceSegmenter } from '../../../src/decode/text-codec.js';

/** Pieces that begin a word with ▁; what the dictionary lacks is unknown. */
const marked = {
  encode: (text: string) => text.split(' ').flatMap((word) => [...`▁${word}`.matchAll(/▁.|./gu)].map(String)),
  decode: (pieces: readonly string[]) => pieces.join('').replaceAll('▁', ' ').trimStart(),
};
const SYMBOLS = ['<s>', '<pad>', '</s>', '<unk>', ...'abcdef', ...[...'abcdef'].map((x) => `▁${x}`), '▁'];
const dictionary = {
  size: SYMBOLS.length,
  indexOf: (symbol: string) => (SYMBOLS.includes(symbol) ? SYMBOLS.indexOf(symbol) : UNK),
  symbolOf: (id: number) => SYMBOLS[id],
};
const codecOf = (segmenter: typeof whiteSpaceSegmenter): TextCodec => {
  const side = { segmenter, dictionary };
  return new TextCodec(side, side, { nfc: false, whitespace: false });
};
const [words, pieces] = [codecOf(whiteSpaceSegmenter), codecOf(marked)];

/** Token t attends to the source token that is as far from the end: reordering. */
const backwards: ForcedAttention = async ({ source, targetInput }) =>
  Array.from({ length: source.offsets.length - 1 }, (_, i) => {
    const [columns, rows] = [source, targetInput].map(({ offsets }) => offsets[i + 1] - offsets[i]);
    const weights = new Float32Array(rows * columns);
    for (let row = 0; row < rows; row++) {
      const column = row === rows - 1 ? columns - 1 : Math.max(0, columns - 2 - row);
      weights[row * columns + column] = 1;
    }
    return { rows, columns, weights };
  });

const OPTIONS: AlignerOptions = {
  ...{ all: true, unit: 'word', unknown: null, maxPositions: 9, maxTokens: 12, batchSize: 2 },
};

const ids = (...symbols: string[]): number[] => [...symbols.map((symbol) => SYMBOLS.indexOf(symbol)), EOS];

async function align(
  codec: TextCodec,
  lines: readonly (readonly [text: string, ...targets: number[][]])[],
  options: Partial<AlignerOptions> = {},
) {
  const aligner = new Aligner(backwards, codec, { ...OPTIONS, ...options });
  return aligner.align(lines.map(([text, ...targets]) => ({ text, ids: codec.encode(text), targets })));
}

describe('alignments', () => {
  test('of each translation of each line, in their order, whatever the batches', async () => {
    const lines = [
      ['a b c', ids('c', 'b', 'a'), ids('c')],
      ['a'],
      ['f', ids('f', 'f')],
      ['', []],
      ['a b c d e', ids(...'edcba')],
    ] as const;
    for (const limits of [{}, { batchSize: 1 }, { maxTokens: 1000, batchSize: 100 }]) {
      const found = await align(words, lines as never, limits);
      assert.deepEqual(
        found.map((line) => line.map(({ alignment }) => alignment?.links.map((link) => link.join('-')))),
        [
          [['2-0', '1-1', '0-2'], ['2-0']],
          [],
          [['0-0', '0-1']],
          [undefined],
          [['4-0', '3-1', '2-2', '1-3', '0-4']],
        ],
      );
    }
  });

  test('of words, where they have several pieces, or of pieces', async () => {
    const line = ['abc d', ids('▁d', '▁a', 'b', 'c')] as const;
    const [[word]] = await align(pieces, [line as never]);
    assert.deepEqual(word.alignment?.links, [
      [1, 0],
      [0, 1],
    ]);
    assert.deepEqual(word.alignment?.target, ['d', 'abc']);
    const [[piece]] = await align(pieces, [line as never], { unit: 'piece' });
    assert.deepEqual(piece.alignment?.links.join(' '), '3,0 2,1 1,2 0,3');
  });

  test('a line that is cut has the pieces that were read; of several sources the first', async () => {
    const aligner = new Aligner(backwards, words, OPTIONS);
    const cut = Int32Array.from([...ids('a', 'b'), ...ids('c', 'c', 'c')]);
    const [[{ alignment }]] = await aligner.align([{ text: 'a b c d', ids: cut, targets: [ids('b', 'a')] }]);
    assert.deepEqual([alignment?.source, alignment?.weights.length], [['a', 'b'], 3]);
  });

  test('a translation that is longer than the model can have gets none', async () => {
    const [[found]] = await align(words, [['a', ids(...'aaaaaaaaaa')]]);
    assert.equal(found.alignment, undefined);
  });
});

describe('what <unk> becomes', () => {
  const replace = async (
    codec: TextCodec,
    text: string,
    target: number[],
    entries: [string, string][] = [],
  ) => {
    const [[found]] = await align(codec, [[text, target]], { all: false, unknown: new Map(entries) });
    return found.text;
  };

  test('the source word, or what the dictionary has for it', async () => {
    const target = ids('c', '<unk>', '<unk>');
    assert.equal(await replace(words, 'Łódź b c', target), 'c b Łódź');
    assert.equal(
      await replace(words, 'Łódź b c', target, [
        ['Łódź', 'Lodz'],
        ['c', 'wrong'],
      ]),
      'c b Lodz',
    );
    assert.equal(await replace(words, 'a b', ids('b', 'a')), undefined, 'no <unk>, nothing to do');
  });

  test('the source piece within a word, the source word where it is one', async () => {
    assert.equal(await replace(pieces, 'xyz a', ids('▁a', '▁', '<unk>')), 'a xyz');
    assert.equal(await replace(pieces, 'axb', ids('▁b', '<unk>', 'a')), 'bxa');
    assert.equal(await replace(pieces, 'ab', ids('<unk>', '<unk>')), 'ba', 'side by side they are no words');
    assert.equal(await replace(pieces, 'ab', ids('▁a', '<unk>'), [['a', 'ü']]), 'aü');
  });

  test('an alignment names the words as they are written then', async () => {
    const [[found]] = await align(words, [['xx b', ids('b', '<unk>')]], { unknown: new Map() });
    assert.deepEqual([found.text, found.alignment?.target], ['b xx', ['b', 'xx']]);
  });
});
