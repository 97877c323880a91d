import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { pack, packBatch } from '../../src/data/batch.js';
import { EOS } from '../../src/data/dictionary.js';
import {
  type EnsembleAverage,
  EnsembleModel,
  forcedEnsemble,
  meanLogProbs,
  splitSource,
} from '../../src/decode/ensemble.js';
import { beamSearch, type SearchOptions } from '../../src/decode/search.js';
import type { Wishes } from '../../src/decode/search-options.js';
import type { StepModel } from '../../src/decode/step-model.js';
import { hashTable, type Table, TableModel } from './table-model.js';

const SIZE = 9;
const OPTIONS = { beam: 3, lenpen: 1, maxLenA: 1, maxLenB: 1, minLen: 1, maxPositions: 16 };
const AVERAGES: readonly EnsembleAverage[] = ['prob', 'log-prob'];

const first = hashTable(SIZE, 5);
/** Another model: of the same sources it thinks something else. */
const second: Table = (source, prefix) => first([8, ...source], prefix);

/** Each source twice: both members read the same text, the second one in ids of its own. */
const SOURCES = Array.from({ length: 7 }, (_, i) => ({
  first: [...Array.from({ length: i % 4 }, (_, j) => 4 + ((i + j) % 5)), EOS],
  second: [...Array.from({ length: (i * 3) % 5 }, (_, j) => 3 + ((2 * i + j) % 5)), EOS],
}));
const joined = SOURCES.map((source) => [...source.first, ...source.second]);

/** The mean in doubles, of the numbers that the members give in singles. */
function meanTable(average: EnsembleAverage, tables: readonly [Table, Table]): Table {
  return (source, prefix) => {
    const parts = splitSource(Int32Array.from(source)).map((part) => [...part]);
    const [a, b] = tables.map((table, i) => Float32Array.from(table(parts[i], prefix)));
    return Array.from(a, (value, id) =>
      average === 'prob' ? Math.log((Math.exp(value) + Math.exp(b[id])) / 2) : (value + b[id]) / 2,
    );
  };
}

describe('several models as one', () => {
  test('means by hand', () => {
    const weighted = (average: EnsembleAverage, weights: number[], ...members: number[][]) =>
      [
        ...meanLogProbs(
          members.map((values) => Float32Array.from(values, Math.log)),
          { average, weights },
        ),
      ].map(Math.exp);
    const of = (average: EnsembleAverage, ...members: number[][]) => weighted(average, [], ...members);
    const near = (found: number[], expected: number[]) =>
      found.forEach((value, i) => {
        assert.ok(Math.abs(value - expected[i]) < 1e-6, `${value} and ${expected[i]}`);
      });
    near(of('prob', [0.5, 0.25, 0], [0.125, 0.25, 1]), [0.3125, 0.25, 0.5]);
    near(of('log-prob', [0.5, 0.25, 0], [0.125, 0.25, 1]), [0.25, 0.25, 0]);
    near(of('prob', [0], [0]), [0]);
    near(of('prob', [0.9], [0.3], [0.3]), [0.5]);
    near(weighted('prob', [3, 1], [0.5, 0.25, 0], [0.1, 0.25, 1]), [0.4, 0.25, 0.25]);
    near(weighted('log-prob', [2, 1], [0.5, 0, 0.25], [0.0625, 1, 0.25]), [0.25, 0, 0.25]);
    near(weighted('prob', [7, 7], [0.9], [0.3]), of('prob', [0.9], [0.3]));
  });

  for (const average of AVERAGES) {
    test(`${average}: a search finds what the table of means has, of sources of their own`, async () => {
      const members = [new TableModel(SIZE, first), new TableModel(SIZE, second)];
      const found = await beamSearch(new EnsembleModel(members, { average }), pack(joined), OPTIONS);
      for (const [i, source] of joined.entries()) {
        // The greatest length is that of the first member's source.
        const maxLenB = OPTIONS.maxLenB + SOURCES[i].first.length - source.length;
        const table = new TableModel(SIZE, meanTable(average, [first, second]));
        const [expected] = await beamSearch(table, pack([source]), { ...OPTIONS, maxLenB });
        assert.equal(found[i].length, expected.length);
        found[i].forEach(({ tokens, total, logProbs }, rank) => {
          assert.deepEqual(tokens, expected[rank].tokens, `sentence ${i}, rank ${rank}`);
          assert.ok(Math.abs(total - expected[rank].total) < 1e-5);
          assert.equal(logProbs.length, tokens.length);
        });
      }
      assert.deepEqual(members.map(({ open }) => open), [0, 0]); // biome-ignore format: one line
    });

    test(`${average}: a model with itself is that model, to the last bit`, async () => {
      const alone = await beamSearch(
        new TableModel(SIZE, first),
        pack(SOURCES.map((source) => source.first)),
        OPTIONS,
      );
      for (const count of [2, 3]) {
        const members = Array.from({ length: count }, () => new TableModel(SIZE, first));
        const sources = SOURCES.map((source) => Array.from({ length: count }, () => source.first).flat());
        const together = await beamSearch(new EnsembleModel(members, { average }), pack(sources), OPTIONS);
        assert.deepEqual(together, alone);
      }
    });
  }

  test('weights: one that counts for nearly all is alone; rules, phrases and samples are heeded as of one model', async () => {
    const sources = pack(joined);
    const heavy = new EnsembleModel([new TableModel(SIZE, first), new TableModel(SIZE, second)], {
      average: 'prob',
      weights: [1e9, 1e-9],
    });
    const found = await beamSearch(heavy, sources, OPTIONS);
    const alone = await beamSearch(
      new TableModel(SIZE, first),
      pack(SOURCES.map((one) => one.first)),
      OPTIONS,
    );
    assert.deepEqual(
      found.map(([{ tokens }]) => tokens),
      alone.map(([{ tokens }]) => tokens),
    );
    const hows: [Partial<SearchOptions>, Omit<Wishes, 'line'>][] = [
      [{}, { prefix: [7], forbidden: [[5]] }],
      [{ maxLenB: 4 }, { required: [[6, 4], [8]] }],
      [{ sampling: true, seed: 3 }, {}],
      [{ diverseBeamGroups: 3, diverseBeamStrength: 2 }, {}],
      [{ noRepeatNgramSize: 1, unk: 'forbid' }, {}],
    ];
    for (const [changes, wish] of hows) {
      const together = new EnsembleModel([new TableModel(SIZE, first), new TableModel(SIZE, first)], {
        average: 'log-prob',
        weights: [2, 3],
      });
      const wishes = SOURCES.map((_, line) => ({ line, ...wish }));
      const twice = pack(SOURCES.map((one) => [...one.first, ...one.first]));
      const options = { ...OPTIONS, ...changes };
      const texts = async (model: StepModel, packed: ReturnType<typeof pack>) =>
        (await beamSearch(model, packed, options, wishes)).map((list) => list.map(({ tokens }) => tokens));
      assert.deepEqual(
        await texts(together, twice),
        await texts(new TableModel(SIZE, first), pack(SOURCES.map((one) => one.first))),
        JSON.stringify(changes),
      );
    }
  });

  test('what one model gives no probability may have one together; forbidden ids are not returned', async () => {
    const only =
      (id: number): Table =>
      () =>
        Array.from({ length: SIZE }, (_, i) => (i === id ? 0 : -Infinity));
    const state = new EnsembleModel([new TableModel(SIZE, only(5)), new TableModel(SIZE, only(EOS))], {
      average: 'prob',
    }).start();
    state.add(pack([[EOS, EOS]]));
    const { ids, logProbs, endLogProbs } = await state.step(Int32Array.of(EOS), 2, [0]);
    assert.deepEqual([...ids], [EOS, 5]);
    for (const value of [...logProbs, ...endLogProbs]) assert.ok(Math.abs(value - Math.log(0.5)) < 1e-6);
    state.dispose();
  });

  test('scores of given translations are the means of those of the members', async () => {
    const pair = { source: Int32Array.from(joined[1]), target: Int32Array.of(5, 6, EOS) };
    const seen: number[][] = [];
    const scorer = (value: number) => async (batch: ReturnType<typeof packBatch>) => {
      seen.push([...batch.source.tokens]);
      return new Float32Array(batch.targetOutput.length).fill(Math.log(value));
    };
    const logProbs = await forcedEnsemble([scorer(0.5), scorer(0.25)], { average: 'prob' })(
      packBatch([0], [pair], EOS),
    );
    assert.deepEqual(seen, [SOURCES[1].first, SOURCES[1].second]);
    assert.equal(logProbs.length, 3);
    for (const value of logProbs) assert.ok(Math.abs(value - Math.log(0.375)) < 1e-6);
  });
});
