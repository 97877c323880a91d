import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EOS, UNK } from '../../src/data/dictionary.js';
import { EnsembleCodec } from '../../src/decode/ensemble-codec.js';
import { TextCodec, whiteSpaceSegmenter } from '../../src/decode/text-codec.js';

const letters = (first: number) => ({
  segmenter: whiteSpaceSegmenter,
  dictionary: {
    size: 40,
    indexOf: (symbol: string) => (/^[a-z]$/.test(symbol) ? first + symbol.charCodeAt(0) - 97 : UNK),
    symbolOf: (id: number) => (id < first ? '<unk>' : String.fromCharCode(97 + id - first)),
  },
});
const clean = { nfc: false, whitespace: false };
const [one, other] = [4, 10].map((first) => new TextCodec(letters(first), letters(first), clean));
const codec = new EnsembleCodec([one, other]);

test('a line is the sources of all members; blank lines stay blank', () => {
  assert.deepEqual([...codec.encode('a c')], [4, 6, EOS, 10, 12, EOS]);
  assert.equal(codec.encode(' ').length, 0);
});

test('each source is cut to what a model can take', () => {
  const ids = codec.encode('a b c');
  assert.deepEqual([...codec.fit(3, ids)], [4, 5, EOS, 10, 11, EOS]);
  assert.deepEqual(codec.fit(4, ids), ids);
});

test('tokens and text are those of the first member', () => {
  const ids = codec.encode('a c');
  assert.deepEqual(codec.sourceTokens(ids.subarray(0, ids.length - 1)), ['a', 'c']);
  assert.deepEqual([...codec.encodeTarget('b')], [5, EOS]);
  assert.equal(codec.decode([5, 6, EOS]), 'b c');
});
