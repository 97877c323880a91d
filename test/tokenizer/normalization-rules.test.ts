import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CharsMap, nmtNfkcCharsMap } from '../../src/tokenizer/charsmap.js';
import { BpeTrainer } from '../../src/tokenizer/index.js';
import { compileRules } from '../../src/tokenizer/normalization-rules.js';
import { refusal } from '../data/scratch.js';

/** The rules of a precompiled map, a line for each. */
function rulesOf(blob: Buffer): string[] {
  const size = blob.readUInt32LE(0);
  const unit = (id: number): number => (4 * id < size ? blob.readUInt32LE(4 + 4 * id) : 0);
  const hex = (bytes: Buffer): string =>
    Array.from(bytes.toString(), (character) => character.codePointAt(0)!.toString(16)).join(' ');
  const found: string[] = [];
  const walk = (id: number, key: readonly number[]): void => {
    const base = id ^ ((unit(id) >>> 10) << ((unit(id) & 0x200) >>> 6));
    if ((unit(id) >>> 8) & 1) {
      const start = 4 + size + (unit(base) & 0x7fffffff);
      found.push(`${hex(Buffer.from(key))}\t${hex(blob.subarray(start, blob.indexOf(0, start)))}`);
    }
    for (let byte = 1; byte < 256; byte++) {
      if ((unit(base ^ byte) & 0x800000ff) === byte) walk(base ^ byte, [...key, byte]);
    }
  };
  walk(0, []);
  return found;
}

test('the map of nmt_nfkc is made again, byte for byte, from its own rules', () => {
  const blob = nmtNfkcCharsMap();
  const rules = rulesOf(blob);
  assert.ok(rules.length > 200_000);
  assert.ok(compileRules(rules.reverse().join('\n'), 'rules').equals(blob));
});

test('rules are the longest that fits; the last of several; comments and empty targets', () => {
  const map = new CharsMap(
    compileRules('61\t78\r\n61 62\t79 7a\tcomment\n61\t77\n63\n\n'.trimEnd(), 'rules'),
  );
  const match = (text: string) => [map.match(Buffer.from(text), 0), map.matchLength];
  assert.deepEqual(match('ac'), ['w', 1]);
  assert.deepEqual(match('abc'), ['yz', 2]);
  assert.deepEqual(match('c'), ['', 1]);
  assert.equal(map.match(Buffer.from('b'), 0), undefined);
});

test('what is no rule is refused with its line', () => {
  for (const [text, pattern] of [
    ['61\t62\nx\t61\n', /rules\.tsv:2: .*found 'x'/],
    ['\t61\n', /rules\.tsv:1: .*found '\t61'/],
    ['61\td800\n', /rules\.tsv:1: .*found 'd800'/],
    ['61\t0\n', /rules\.tsv:1: .*found '0'/],
    ['61 110000\n', /rules\.tsv:1: .*found '110000'/],
    ['', /rules\.tsv: expected a normalisation rule/],
    [
      Array.from({ length: 32 }, (_, i) => '61 '.repeat(i + 1)).join('\n'),
      /at most 31 rules that begin one another/,
    ],
  ] as const) {
    assert.throws(() => compileRules(text, 'rules.tsv'), refusal(pattern));
  }
  compileRules(Array.from({ length: 31 }, (_, i) => '61 '.repeat(i + 1)).join('\n'), 'rules.tsv');
});

test('a model is trained on text that rules have changed, letters of ASCII among it, and has them', () => {
  const normalizationRules = { text: '61\t62\n2019\t27\n', file: 'rules.tsv' };
  const trainer = new BpeTrainer({ vocabSize: 9, normalizationRules });
  trainer.add('aa ab ca\u2019a');
  const tokenizer = trainer.train();
  assert.ok(tokenizer.pieces.every(({ piece }) => !/[a\u2019]/.test(piece)));
  assert.equal(tokenizer.decode(tokenizer.encode('ca\u2019')), "cb'");
});
