import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Batch, pack, packBatch } from '../../src/data/batch.js';
import { readWishes } from '../../src/decode/read-wishes.js';
import { attentionAsRead, logProbsAsRead } from '../../src/decode/reading-order.js';
import { beamSearch, type SearchOptions } from '../../src/decode/search.js';
import { searchOptions, type Wishes } from '../../src/decode/search-options.js';
import type { LineCodec } from '../../src/decode/text-codec.js';
import { hashTable, TableModel } from './table-model.js';

const EOS = 2;
const OPTIONS: SearchOptions = {
  ...{ beam: 4, lenpen: 1, maxLenA: 0, maxLenB: 8, minLen: 1, maxPositions: 1024 },
};
const SOURCES = [
  [5, 6, 2],
  [7, 2],
  [4, 4, 5, 9, 8, 2],
];
const turned = <T>(list: readonly T[]): T[] => [...list.slice(0, -1).reverse(), list.at(-1)!];

/** Searches with one model, as it writes and as one that writes from right to left. */
const search = (options: Partial<SearchOptions>, wishes?: Wishes) =>
  beamSearch(
    new TableModel(20, hashTable(20, 6)),
    pack(SOURCES),
    { ...OPTIONS, ...options },
    wishes && SOURCES.map(() => wishes),
  );

describe('a search from right to left', () => {
  for (const [how, options] of [
    ['a plain beam', {}],
    ['samples', { sampling: true, seed: 3 }],
    ['groups', { diverseBeamGroups: 2, diverseBeamStrength: 0.5 }],
  ] as const) {
    test(`${how}: what it writes from the end is told from the beginning`, async () => {
      const written = await search(options, { line: 0 });
      const read = await search({ ...options, rightToLeft: true }, { line: 0 });
      assert.ok(written.flat().some(({ tokens }) => tokens.length > 3));
      assert.deepEqual(
        read,
        written.map((hypotheses) =>
          hypotheses.map((found) => ({
            ...found,
            tokens: turned(found.tokens),
            logProbs: turned(found.logProbs),
          })),
        ),
      );
    });
  }

  test('phrases are wished for as they are read, in their order', async () => {
    const required = [
      [5, 6],
      [9, 4],
    ];
    const forbidden = [[7, 8]];
    const found = await search(
      { rightToLeft: true, constraints: 'ordered', unk: 'forbid' },
      { line: 0, required, forbidden },
    );
    for (const { tokens } of found.flat()) {
      const text = `,${tokens},`;
      assert.ok(text.includes(',5,6,'), text);
      assert.ok(text.lastIndexOf(',9,4,') > text.indexOf(',5,6,'), text);
      assert.ok(!text.includes(',7,8,'), text);
    }
  });

  test('it cannot be given a beginning', () => {
    const request = { source: 'a', prefix: 'the' };
    const codec = { encodeTarget: () => Int32Array.of(5, EOS) } as unknown as LineCodec;
    assert.deepEqual(readWishes(request, 0, 2, codec, OPTIONS)?.prefix, [5]);
    assert.throws(
      () => readWishes(request, 6, 2, codec, { ...OPTIONS, rightToLeft: true }),
      /line 7: a model that writes from right to left cannot .* the prefix 'the'/,
    );
  });

  test('threads hear of it', () => {
    assert.equal(searchOptions({ ...OPTIONS, rightToLeft: true }).rightToLeft, true);
  });
});

describe('given translations', () => {
  const batch = packBatch(
    [0, 1],
    [
      { source: Int32Array.of(4, EOS), target: Int32Array.of(6, 7, 8, EOS) },
      { source: Int32Array.of(5, 4, EOS), target: Int32Array.of(9, EOS) },
    ],
    EOS,
  );
  /** What a model from right to left is asked: each token has its id as its log-probability. */
  const asked: Batch[] = [];
  const ids = async (given: Batch): Promise<Float32Array> => {
    asked.push(given);
    return Float32Array.from(given.targetOutput);
  };

  test('a score stands with its token', async () => {
    assert.deepEqual(await logProbsAsRead(ids)(batch), Float32Array.from(batch.targetOutput));
    assert.deepEqual(asked[0].targetOutput, Int32Array.of(8, 7, 6, EOS, 9, EOS));
    assert.deepEqual(asked[0].targetInput.tokens, Int32Array.of(EOS, 8, 7, 6, EOS, 9));
  });

  test('so does a row of attention', async () => {
    const attention = attentionAsRead(async () => [
      { rows: 4, columns: 2, weights: Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8) },
      { rows: 2, columns: 3, weights: Float32Array.of(1, 2, 3, 4, 5, 6) },
    ]);
    const [first, second] = await attention(batch);
    assert.deepEqual(first, { rows: 4, columns: 2, weights: Float32Array.of(5, 6, 3, 4, 1, 2, 7, 8) });
    assert.deepEqual([...second.weights], [1, 2, 3, 4, 5, 6]); // one token and the end
  });
});
