import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { IdList } from '../../src/common/id-list.js';
import type { WordLink } from '../../src/data/pharaoh.js';
import { appendPieceLinks, linkedSide, wordsOf } from '../../src/data/piece-links.js';
import type { PieceModel } from '../../src/data/symbol-table.js';
import { splitWords } from '../../src/metrics/python-text.js';

/** A tokenizer that knows given pieces by their places in a list; `encode` parts a text into them by `#`. */
function modelOf(
  pieces: readonly (string | undefined)[],
  encode: PieceModel['encode'] = () => [],
): PieceModel {
  return { symbols: pieces, appendIds: () => {}, encode };
}

function linksOf(
  links: readonly WordLink[],
  [source, sourcePieces]: [string, (string | undefined)[]],
  [target, targetPieces]: [string, (string | undefined)[]],
  tagged = false,
): string {
  const sides = [
    linkedSide(source, Int32Array.from(sourcePieces.keys()), modelOf(sourcePieces)),
    linkedSide(target, Int32Array.from(targetPieces.keys()), modelOf(targetPieces)),
  ] as const;
  const list = new IdList();
  appendPieceLinks(links, sides, tagged, list);
  const places = [...list.view()];
  return places.flatMap((place, i) => (i % 2 === 0 ? [`${place}-${places[i + 1]}`] : [])).join(' ');
}

test('each piece of a word goes with each of the other, in the order of the target; again is once', () => {
  const source: [string, string[]] = ['ab cd', ['▁a', 'b', '▁cd']];
  const target: [string, string[]] = ['x yz', ['▁x', '▁y', 'z']];
  assert.equal(
    linksOf(
      [
        [1, 0],
        [0, 1],
        [0, 1],
      ],
      source,
      target,
    ),
    '2-0 0-1 1-1 0-2 1-2',
  );
  assert.equal(
    linksOf(
      [
        [1, 0],
        [0, 1],
      ],
      source,
      target,
      true,
    ),
    '3-0 1-1 2-1 1-2 2-2',
    'behind a tag',
  );
  assert.equal(linksOf([], source, target), '');
});

test('marks of a beginning by themselves, unknown pieces, spaces behind words, blanks at both ends', () => {
  const plain: [string, string[]] = ['x y', ['▁x', '▁y']];
  assert.equal(
    linksOf([[1, 1]], [' ab  cd ', ['▁', '▁', 'ab', '▁', '▁', undefined, 'd', '▁']] as never, plain),
    '3-1 4-1 5-1 6-1',
  );
  assert.equal(
    linksOf(
      [
        [0, 0],
        [1, 1],
      ],
      ['ab cd', ['a', 'b▁', 'cd▁']],
      plain,
    ),
    '0-0 1-0 2-1',
  );
  assert.equal(
    linksOf([[1, 0]], ['ab cd ef', ['▁ab▁cd', '▁ef']], plain),
    '',
    'a piece of two words is of the first',
  );
});

test('words that normalisation parts or joins keep their links', () => {
  const encode = (word: string): string[] =>
    word === 'a¨b' ? ['▁a', '▁̈b'] : word === '\u00ad' ? [] : [`▁${word}`];
  const source = linkedSide('a¨b \u00ad c', Int32Array.of(0, 1, 2), modelOf(['▁a', '▁̈b', '▁c'], encode));
  const target = linkedSide('x y', Int32Array.of(0, 1), modelOf(['▁x', '▁y']));
  const list = new IdList();
  appendPieceLinks(
    [
      [0, 0],
      [1, 0],
      [2, 1],
    ],
    [source, target],
    false,
    list,
  );
  assert.deepEqual([...list.view()], [0, 0, 1, 0, 2, 1]);
});

test('words are those of translate and evaluate', () => {
  fc.assert(
    fc.property(
      fc.string({
        unit: fc.constantFrom('a', 'é', ' ', '\t', '\u00a0', '\u3000', '\x1c', '\x85', '\ufeff', '\u200b'),
      }),
      (text) => {
        assert.deepEqual(wordsOf(text), splitWords(text));
      },
    ),
    { seed: 5, numRuns: 300 },
  );
});
