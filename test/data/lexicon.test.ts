import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { EOS, UNK } from '../../src/data/dictionary.js';
import { type Lexicon, learnLexicon, type Pairs, type Places } from '../../src/data/lexicon.js';
import { makeToyPairs, wordList } from '../../src/data/toy-language.js';
import { diagonalPlaces } from '../../src/data/word-aligner.js';

const OPTIONS = { iterations: 5, best: 100, mostEntries: 1e6 };

/** Pairs of ids, `</s>` put to the end of both sides. */
function pairsOf(pairs: readonly (readonly [source: readonly number[], target: readonly number[]])[]): Pairs {
  const ended = (ids: readonly number[]) => Int32Array.from([...ids, EOS]);
  return { size: pairs.length, pair: (i) => ({ source: ended(pairs[i][0]), target: ended(pairs[i][1]) }) };
}

const sizesOf = (size: number) => ({ source: size, target: size });

/** p(target | source) by `source target`. */
function probabilities({ offsets, targets, probabilities: values }: Lexicon): Map<string, number> {
  const found = new Map<string, number>();
  for (let source = 0; source + 1 < offsets.length; source++)
    for (let i = offsets[source]; i < offsets[source + 1]; i++)
      found.set(`${source} ${targets[i]}`, values[i]);
  return found;
}

/** IBM model 1, or with places model 2, as the textbook has it, in doubles. */
function textbook(pairs: Pairs, iterations: number, places?: Places): Map<string, number> {
  let t = new Map<string, number>();
  for (let round = 0; round < iterations; round++) {
    const counts = new Map<string, number>();
    const totals = new Map<number, number>();
    for (let i = 0; i < pairs.size; i++) {
      const { source, target } = pairs.pair(i);
      target.forEach((f, j) => {
        if (f === EOS || f === UNK) return;
        const prior = places?.(j, target.length, source.length);
        const p = Array.from(source, (e, i) =>
          round === 0 ? 1 : (t.get(`${e} ${f}`) ?? 0) * (prior?.[i] ?? 1),
        );
        const sum = p.reduce((total, share) => total + share, 0);
        source.forEach((e, i) => {
          counts.set(`${e} ${f}`, (counts.get(`${e} ${f}`) ?? 0) + p[i] / sum);
          totals.set(e, (totals.get(e) ?? 0) + p[i] / sum);
        });
      });
    }
    t = new Map([...counts].map(([key, count]) => [key, count / totals.get(Number(key.split(' ')[0]))!]));
  }
  return t;
}

describe('IBM model 1', () => {
  test('by hand: das Haus, das Buch, ein Buch', () => {
    const [das, haus, ein, buch] = [4, 5, 6, 7];
    const [the, house, a, book] = [4, 5, 6, 7];
    const pairs = pairsOf([
      [
        [das, haus],
        [the, house],
      ],
      [
        [das, buch],
        [the, book],
      ],
      [
        [ein, buch],
        [a, book],
      ],
    ]);
    const once = probabilities(learnLexicon(pairs, sizesOf(8), { ...OPTIONS, iterations: 1 }));
    assert.equal(once.get(`${das} ${the}`), 0.5); // 2/3 of 4/3
    assert.equal(once.get(`${haus} ${house}`), 0.5);
    assert.equal(once.get(`${EOS} ${a}`), Math.fround(1 / 6)); // 1/3 of 2
    const lexicon = learnLexicon(pairs, sizesOf(8), { ...OPTIONS, iterations: 20 });
    const first = (source: number) => lexicon.targets[lexicon.offsets[source]];
    assert.deepEqual([das, haus, ein, buch].map(first), [the, house, a, book]);
  });

  for (const iterations of [1, 2, 5, 12]) {
    test(`${iterations} rounds on random text = the textbook in doubles`, () => {
      let state = 7;
      const draw = (n: number) => {
        state = (Math.imul(state, 1103515245) + 12345) >>> 0;
        return (state >>> 8) % n;
      };
      const side = () => Array.from({ length: draw(7) }, () => UNK + draw(12));
      const pairs = pairsOf(Array.from({ length: 60 }, () => [side(), side()] as const));
      for (const places of [undefined, diagonalPlaces]) {
        const found = probabilities(learnLexicon(pairs, sizesOf(16), { ...OPTIONS, iterations, places }));
        const expected = textbook(pairs, iterations, places);
        for (const [key, p] of expected) {
          if (p > 2e-6)
            assert.ok(Math.abs((found.get(key) ?? 0) - p) < 1e-5, `${key}: ${found.get(key)}, ${p}`);
        }
        for (const key of found.keys()) assert.ok(expected.has(key), key);
      }
    });
  }

  test('of each source id the most probable, ties to the lower id; none for what was never seen', () => {
    const pairs = pairsOf([[[5], [9, 8, 9, 7, UNK]]]);
    const sizes = { source: 8, target: 10 };
    const { offsets, targets, frequencies } = learnLexicon(pairs, sizes, { ...OPTIONS, best: 2 });
    assert.deepEqual([...frequencies], [0, 0, 1, 1, 0, 0, 0, 1, 1, 2]);
    assert.deepEqual([...offsets], [0, 0, 0, 2, 2, 2, 4, 4, 4]);
    assert.deepEqual([...targets], [9, 7, 9, 7]);
  });

  test('it says how far it is', () => {
    const seen: number[] = [];
    const pairs = pairsOf(Array.from({ length: 2500 }, () => [[4], [4]] as const));
    learnLexicon(pairs, sizesOf(8), { ...OPTIONS, iterations: 2, onPairs: (done) => seen.push(done) });
    assert.deepEqual(seen, [1000, 2000, 3500, 4500]);
  });
});

describe('a language with a known lexicon', () => {
  const ids = new Map<string, number>();
  const idOf = (word: string) => ids.get(word) ?? ids.set(word, UNK + 1 + ids.size).get(word)!;
  const toy = makeToyPairs(3000, 1);
  const coded = toy.map(
    ({ source, target }) => [source.split(' ').map(idOf), target.split(' ').map(idOf)] as const,
  );
  const pairs = pairsOf(coded);
  const names = new Map([...ids].map(([word, id]) => [id, word]));

  /** The translations of a word, the best first. */
  function translations({ offsets, targets }: Lexicon, word: string): string[] {
    const id = ids.get(word)!;
    return Array.from(targets.subarray(offsets[id], offsets[id + 1]), (target) => names.get(target)!);
  }

  /** Those words whose translation, in any of its forms, is not the best. */
  function missed(lexicon: Lexicon): string[] {
    const wrong = [...wordList].filter(([word, translation]) => {
      const [best = ''] = translations(lexicon, word);
      return !best.startsWith(translation);
    });
    return wrong.map(([word]) => word);
  }

  test('every word of it is found, and every form that a word takes is among its eight best', () => {
    const lexicon = learnLexicon(pairs, sizesOf(UNK + 1 + ids.size), { ...OPTIONS, best: 8 });
    assert.deepEqual(missed(lexicon), []);
    for (const [word, translation] of wordList) {
      const forms = [...ids.keys()].filter((form) =>
        new RegExp(`^${translation}(|i|o|[ae]s?|[iu]n|[iu]ra)$`).test(form),
      );
      const found = translations(lexicon, word);
      for (const form of forms) assert.ok(found.includes(form), `${word}: ${form}, found ${found}`);
    }
  });

  test('all that references are made of is among the candidates of their sources', () => {
    const { offsets, targets } = learnLexicon(pairs, sizesOf(UNK + 1 + ids.size), { ...OPTIONS, best: 12 });
    for (const [source, target] of coded) {
      const found = new Set(source.flatMap((id) => [...targets.subarray(offsets[id], offsets[id + 1])]));
      assert.deepEqual(
        target.filter((id) => !found.has(id)),
        [],
      );
    }
  });

  test('with room for half of the pairs the words are found all the same', () => {
    const whole = learnLexicon(pairs, sizesOf(UNK + 1 + ids.size), OPTIONS);
    assert.ok(whole.targets.length > 4000, `${whole.targets.length} pairs`);
    const narrow = learnLexicon(pairs, sizesOf(UNK + 1 + ids.size), { ...OPTIONS, mostEntries: 2500 });
    assert.ok(narrow.targets.length <= 2500, `${narrow.targets.length} pairs`);
    assert.deepEqual(missed(narrow), []);
  });

  test('what is rare beside its own source is dropped, not what is rare', () => {
    // A frequent word beside a hundred others, and one that is there once with its translation.
    const frequent = Array.from({ length: 4000 }, (_, i) => [[4], [100 + (i % 100)]] as const);
    const rare = Array.from({ length: 20 }, (_, i) => [[5 + i], [200 + i]] as const);
    const { offsets, targets } = learnLexicon(pairsOf([...rare, ...frequent]), sizesOf(300), {
      ...OPTIONS,
      mostEntries: 160,
    });
    for (let i = 0; i < 20; i++) assert.equal(targets[offsets[5 + i]], 200 + i);
  });

  test('the same text gives the same lexicon', () => {
    const learn = () => learnLexicon(pairs, sizesOf(UNK + 1 + ids.size), { ...OPTIONS, mostEntries: 2500 });
    assert.deepEqual(learn(), learn());
  });
});
