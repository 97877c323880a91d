import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { test } from 'node:test';
import { makeToyPairs, wordList, writeToyCorpus } from '../../src/data/toy-language.js';
import { BLEU } from '../../src/metrics/sacrebleu.js';

const pairs = makeToyPairs(3000, 7);
const words = (line: string): string[] => line.split(' ');

function bleu(hypotheses: readonly string[], references: readonly string[]): number {
  return new BLEU().corpusScore(hypotheses, [references]).score;
}

test('the same seed gives the same pairs, another seed others, and no source twice', () => {
  assert.deepEqual(makeToyPairs(3000, 7), pairs);
  assert.notDeepEqual(makeToyPairs(3000, 8), pairs);
  assert.equal(new Set(pairs.map(({ source }) => source)).size, pairs.length);
});

test('a small vocabulary, sentences of two to fourteen words', () => {
  const forms = (side: 'source' | 'target') => new Set(pairs.flatMap((pair) => words(pair[side])));
  const [source, target] = [forms('source'), forms('target')];
  assert.ok(source.size + target.size <= 200, `${source.size} + ${target.size} word forms`);
  for (const form of source) assert.ok(!target.has(form), `'${form}' is a word of both languages`);
  for (const pair of pairs) {
    for (const line of [pair.source, pair.target]) {
      const { length } = words(line);
      assert.ok(length >= 2 && length <= 14, line);
    }
  }
});

test('sentences translated by hand', () => {
  const translation = new Map(makeToyPairs(400, 1).map(({ source, target }) => [source, target]));
  // Wekol is of the odd class: vep-e, durn-un; hapes of the even one: tof-a.
  assert.equal(translation.get('lulu skali rusa astu nodi irna'), 'vepe wekol cei tofa hapes durnun');
  assert.equal(
    translation.get('ne praku ya kefa elko jomo umbe po ya zuno umbe'),
    'rimes losiro zanas pidaki chon zana setil jastura muk',
  );
});

test('translating word by word, even with the right words in the right order, is far from the mark', (t) => {
  const references = pairs.map(({ target }) => target);
  const wordByWord = pairs.map(({ source }) =>
    words(source)
      .map((word) => wordList.get(word) ?? '')
      .filter((word) => word !== '')
      .join(' '),
  );
  // The order of the reference, but every word in the form of the dictionary.
  const stems = [...wordList.values()];
  const withoutAgreement = references.map((line) =>
    words(line)
      .map((word) => stems.find((stem) => word.startsWith(stem)) ?? word)
      .join(' '),
  );
  // The forms of the reference, but in the order of the source.
  const withoutOrder = pairs.map(({ source, target }) => {
    const left = words(target);
    return words(source)
      .flatMap((word) => {
        const stem = wordList.get(word);
        const at = stem === undefined ? -1 : left.findIndex((form) => form.startsWith(stem));
        return at === -1 ? [] : left.splice(at, 1);
      })
      .join(' ');
  });
  const scores = [wordByWord, withoutAgreement, withoutOrder].map((hypotheses) =>
    bleu(hypotheses, references),
  );
  t.diagnostic(`word by word ${scores[0]}, no agreement ${scores[1]}, no reordering ${scores[2]}`);
  for (const score of scores) assert.ok(score < 50, `BLEU ${score}`);
  assert.ok(bleu(references, references) > 99.9);
});

test('the alignment says which words say the same', () => {
  for (const { source, target, alignment } of pairs) {
    const [from, to] = [words(source), words(target)];
    const links = alignment.split(' ').map((link) => link.split('-').map(Number));
    assert.deepEqual(
      links.map(([i]) => i),
      [...from.keys()],
      'each source word once',
    );
    assert.equal(new Set(links.map(([, j]) => j)).size, to.length, 'each target word');
    for (const [i, j] of links) {
      // The word for many belongs to the noun behind it.
      const word = from[i] === 'ya' ? from[i + 1] : from[i];
      assert.ok(to[j].startsWith(wordList.get(word)!), `${from[i]} and ${to[j]} of ${source}`);
    }
  }
});

test('a corpus is three disjoint splits', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'admin-nmt-toy-'));
  try {
    writeToyCorpus(folder, { pairs: 200, seed: 3, valid: 50 });
    const read = (name: string) => readFileSync(path.join(folder, name), 'utf8').trimEnd().split('\n');
    assert.deepEqual(
      readdirSync(folder).map((name) => [name, read(name).length]),
      [
        ['test.align', 300],
        ['test.toa', 300],
        ['test.tob', 300],
        ['train.align', 200],
        ['train.toa', 200],
        ['train.tob', 200],
        ['valid.align', 50],
        ['valid.toa', 50],
        ['valid.tob', 50],
      ],
    );
    const all = ['train', 'valid', 'test'].flatMap((split) => read(`${split}.toa`));
    assert.equal(new Set(all).size, all.length);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
