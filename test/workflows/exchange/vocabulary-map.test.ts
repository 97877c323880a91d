import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Dictionary } from '../../../src/data/dictionary.js';
import { Shortlist } from '../../../src/decode/shortlist.js';
import { vocabularyMap } from '../../../src/workflows/exchange/vocabulary-map.js';

const dictionary = (prefix: string): Dictionary =>
  Dictionary.fromCounts(Array.from({ length: 12 }, (_, i) => [`${prefix}${i}`, 20 - i]));
const [source, target] = [dictionary('▁s'), dictionary('t')];

/** What CTranslate2 lets a sentence become, by its documented format: its tokens one by one, and what stands by no token. */
function candidatesOf(map: string, tokens: readonly string[]): string[] {
  const rules = new Map(
    map
      .split('\n')
      .slice(0, -1)
      .map((line): [string, string[]] => {
        const [key, values] = line.split('\t');
        return [key, values.split(' ')];
      }),
  );
  return [...new Set(['', ...tokens].flatMap((token) => rules.get(token) ?? []))].sort();
}

const targetId = fc.integer({ min: 0, max: target.size - 1 });
const lists = fc.array(fc.uniqueArray(targetId, { maxLength: 4 }), {
  minLength: source.size,
  maxLength: source.size,
});

test('a sentence has the candidates that it has here', () => {
  fc.assert(
    fc.property(
      lists,
      fc.uniqueArray(targetId, { maxLength: 5 }),
      fc.array(fc.integer({ min: 4, max: source.size - 1 })),
      (targets, frequent, sentence) => {
        const shortlist = new Shortlist({
          frequent: Int32Array.from(frequent),
          counts: Int32Array.from(targets, ({ length }) => length),
          targets: Int32Array.from(targets.flat()),
        });
        const map = vocabularyMap(shortlist, { source, target });
        const found = candidatesOf(
          map,
          sentence.map((id) => source.symbolOf(id)),
        );
        const expected = [...shortlist.candidates(Int32Array.from([...sentence, 2]))].map((id) =>
          id === 1 ? '<blank>' : target.symbolOf(id),
        );
        assert.deepEqual(found, expected.sort());
      },
    ),
    { seed: 3 },
  );
});

test('a symbol with a space, which no tokenizer makes, has no place in the format', () => {
  const odd = Dictionary.parse(Buffer.from('a b 3\nc 2\n'), 'dict.txt');
  const shortlist = new Shortlist({
    frequent: Int32Array.of(4),
    counts: Int32Array.of(0, 0, 0, 0, 1, 2),
    targets: Int32Array.of(5, 4, 5),
  });
  assert.equal(vocabularyMap(shortlist, { source: odd, target: odd }), '\t<s> <blank> </s> <unk>\nc\tc\n');
});
