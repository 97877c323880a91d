import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeToyPairs } from '../../src/data/toy-language.js';
import { alignWords, diagonalPlaces, WordColumn } from '../../src/data/word-aligner.js';

const OPTIONS = { iterations: 5, symmetry: 'grow-diag-final-and', mostEntries: 1e6 } as const;

function columnOf(lines: readonly string[]): WordColumn {
  const column = new WordColumn();
  for (const line of lines) column.add(line);
  return column;
}

function align(source: readonly string[], target: readonly string[]): string[] {
  const linksOf = alignWords(columnOf(source), columnOf(target), OPTIONS);
  return source.map((_, i) =>
    linksOf(i)
      .map((link) => link.join('-'))
      .join(' '),
  );
}

test('places: probabilities, the highest on the diagonal', () => {
  for (const [size, sourceSize] of [
    [2, 2],
    [5, 9],
    [9, 5],
    [31, 2],
  ]) {
    for (let place = 0; place + 1 < size; place++) {
      const prior = diagonalPlaces(place, size, sourceSize);
      assert.ok(Math.abs(prior.reduce((sum, p) => sum + p, 0) - 1) < 1e-12);
      assert.ok(Math.abs(prior[sourceSize - 1] - 0.08) < 1e-12);
      const words = Array.from(prior.subarray(0, -1));
      const distance = words.map((_, i) => Math.abs((i + 1) / words.length - (place + 1) / (size - 1)));
      assert.equal(words.indexOf(Math.max(...words)), distance.indexOf(Math.min(...distance)));
    }
  }
  assert.deepEqual([...diagonalPlaces(0, 3, 1)], [1]);
});

test('words are one whatever their case and the punctuation around them', () => {
  const column = columnOf(['Haus, (haus) HAUS. „Haus“ Haus-Boot -- ,']);
  const [house, ...others] = column.sentence(0);
  assert.deepEqual(others.slice(0, 3), [house, house, house]);
  assert.equal(new Set(column.sentence(0)).size, 5, 'house, houseboat, dashes, comma, </s>');
  assert.equal(column.size, 4 + 4);
});

test('das Haus, das Buch, ein Buch', () => {
  assert.deepEqual(
    align(
      ['das Haus .', 'das Buch !', 'ein Buch', '', 'ja'],
      ['the house .', 'the book !', 'a book', 'no', ''],
    ),
    ['0-0 1-1 2-2', '0-0 1-1 2-2', '0-0 1-1', '', ''],
  );
});

test('of two words that are alike each goes with the one at its own place', () => {
  const [source, target] = [
    ['der Hund und der Hund', 'der Baum', 'ein Hund', 'und so'],
    ['the dog and the dog', 'the tree', 'a dog', 'and so'],
  ];
  assert.equal(align(source, target)[0], '0-0 1-1 2-2 3-3 4-4');
});

test('a word comes from none where no other is known to become it', () => {
  // With room for few pairs, those that are rare beside their source are dropped: those of `x` are.
  const source = [...Array(40).fill('a b'), 'a b c d e f g h'];
  const target = [...Array(40).fill('A B'), 'x'];
  const linksOf = alignWords(columnOf(source), columnOf(target), {
    ...OPTIONS,
    symmetry: 'union',
    mostEntries: 8,
  });
  assert.deepEqual(linksOf(40), []);
});

test('the links of the toy language, whose verb changes sides, are found', () => {
  const pairs = makeToyPairs(3000, 1);
  const found = align(
    pairs.map(({ source }) => source),
    pairs.map(({ target }) => target),
  );
  const [links, known] = [found, pairs.map(({ alignment }) => alignment)].map((lines) =>
    lines.map((line) => line.split(' ').filter(Boolean)),
  );
  const count = (lines: string[][]): number => lines.flat().length;
  const right = links.flatMap((line, i) => line.filter((link) => known[i].includes(link))).length;
  assert.ok(right / count(links) > 0.96, `${(100 * right) / count(links)} % of the links are right`);
  assert.ok(right / count(known) > 0.83, `${(100 * right) / count(known)} % of the known links are found`);
});
