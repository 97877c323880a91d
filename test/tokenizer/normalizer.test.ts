import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CharsMap, nmtNfkcCharsMap } from '../../src/tokenizer/charsmap.js';
import type { NormalizerSpec } from '../../src/tokenizer/model-file.js';
import { Normalizer } from '../../src/tokenizer/normalizer.js';
import { DamagedModelError } from '../../src/tokenizer/protobuf.js';
import { makeFuzzLines } from './sample-text.js';

const spec: NormalizerSpec = {
  charsmap: nmtNfkcCharsMap(),
  addDummyPrefix: true,
  removeExtraWhitespaces: true,
  escapeWhitespaces: true,
};
const identity: NormalizerSpec = { ...spec, charsmap: Buffer.alloc(0) };

test('nmt_nfkc', () => {
  const normalizer = new Normalizer(spec);
  const cases = [
    ['', ''],
    [' \t ', ''],
    ['a  b ', '▁a▁b'],
    ['ﬁ ㌔ ½ Ａ', '▁fi▁キロ▁1⁄2▁A'],
    ['a\u00a0b\u3000c\u200bd', '▁a▁b▁c▁d'],
    ['e\u0301', '▁é'],
    ['\u0001a\u007f', '▁a'],
    ['～', '▁～'],
    ['a▁', '▁a'],
    ['a▁ b', '▁a▁b'],
  ];
  for (const [line, expected] of cases)
    assert.equal(normalizer.normalize(line), expected, JSON.stringify(line));
});

test('without rules a space symbol of the text stays, but for those at the end', () => {
  const normalizer = new Normalizer(identity);
  assert.equal(normalizer.normalize('a▁ b'), '▁a▁▁b');
  assert.equal(normalizer.normalize('▁a▁▁'), '▁▁a');
});

test('the options of the form', () => {
  const form = (changes: Partial<NormalizerSpec>, suffix = false, symbols: string[] = []) =>
    new Normalizer({ ...identity, ...changes }, suffix, symbols).normalize('  a  ﬁ ');
  assert.equal(form({}), '▁a▁ﬁ');
  assert.equal(form({ addDummyPrefix: false }), 'a▁ﬁ');
  assert.equal(form({ removeExtraWhitespaces: false }), '▁▁▁a▁▁ﬁ▁');
  assert.equal(form({ escapeWhitespaces: false }), ' a ﬁ');
  assert.equal(form({}, true), 'a▁ﬁ▁');
  assert.equal(form({ charsmap: spec.charsmap }, false, ['ﬁ']), '▁a▁ﬁ');
  assert.equal(form({ charsmap: spec.charsmap }, false, ['b']), '▁a▁fi');
});

test('a line is normalised word by word where that is said to be the same', () => {
  for (const normalizer of [new Normalizer(spec), new Normalizer(identity)]) {
    assert.ok(normalizer.wordwise);
    for (const line of makeFuzzLines(41, 3000).map((fuzz) => fuzz.replaceAll('▁', ''))) {
      const words = line.split(' ').map((word) => normalizer.normalize(word));
      assert.equal(words.join(''), normalizer.normalize(line), JSON.stringify(line));
    }
  }
  for (const changes of [
    { addDummyPrefix: false },
    { removeExtraWhitespaces: false },
    { escapeWhitespaces: false },
  ]) {
    assert.ok(!new Normalizer({ ...spec, ...changes }).wordwise);
  }
  assert.ok(!new Normalizer(spec, true).wordwise);
  assert.ok(!new Normalizer(spec, false, ['a b']).wordwise);
});

test('rules that do not fit are refused, and wild ones harmless', () => {
  const { charsmap } = spec;
  for (const blob of [charsmap.subarray(0, 3), charsmap.subarray(0, 1000), Buffer.alloc(20)]) {
    assert.throws(() => new CharsMap(blob), DamagedModelError);
  }
  const wild = Buffer.alloc(4 + 1024 + 1, 0xff);
  wild.writeUInt32LE(1024);
  assert.equal(typeof new Normalizer({ ...spec, charsmap: wild }).normalize('any text ÿ'), 'string');
});
