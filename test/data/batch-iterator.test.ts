import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Purpose, RandomStream } from '../../src/common/rng.js';
import { BatchCuts } from '../../src/data/batch-cuts.js';
import { type BatchOptions, batches, type PairSource, planBatches } from '../../src/data/batch-iterator.js';
import { batchOf } from '../../src/data/epoch-plan.js';
import type { PairLengths } from '../../src/data/length-table.js';

const OPTIONS: BatchOptions = {
  maxTokens: 40,
  maxPositions: 1000,
  seed: 1,
  epoch: 1,
  rank: 0,
  worldSize: 1,
  shuffle: true,
};

const anyLengths = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 60 })), { maxLength: 120 })
  .map(
    (pairs): PairLengths => ({
      sourceLengths: Int32Array.from(pairs, ([source]) => source),
      targetLengths: Int32Array.from(pairs, ([, target]) => target),
    }),
  );
const anyOptions = fc
  .record({
    maxTokens: fc.integer({ min: 1, max: 100 }),
    maxPositions: fc.integer({ min: 1, max: 70 }),
    seed: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
    epoch: fc.integer({ min: 1, max: 1000 }),
    worldSize: fc.integer({ min: 1, max: 5 }),
    shuffle: fc.boolean(),
  })
  .map((options): BatchOptions => ({ ...options, rank: 0 }));

const total = (lengths: Int32Array, indices: Int32Array): number =>
  indices.reduce((sum, index) => sum + lengths[index], 0);

test('over all ranks, an epoch has each pair that fits exactly once and skips the others', () => {
  fc.assert(
    fc.property(anyLengths, anyOptions, (lengths, options) => {
      const plans = Array.from({ length: options.worldSize }, (_, rank) =>
        planBatches(lengths, { ...options, rank }),
      );
      const seen = plans.flatMap((plan) => [...plan].flatMap((batch) => [...batch]));
      const cuts = new BatchCuts(lengths, options);
      const skipped = cuts.firstSkipped(cuts.skipped);
      assert.deepEqual(
        [...seen, ...skipped].sort((a, b) => a - b),
        [...lengths.sourceLengths.keys()],
      );
      const limit = Math.min(options.maxTokens, options.maxPositions);
      for (const index of skipped) {
        assert.ok(Math.max(lengths.sourceLengths[index], lengths.targetLengths[index]) > limit);
      }
      const sizes = plans.map((plan) => plan.length);
      assert.ok(Math.max(...sizes) - Math.min(...sizes) <= 1, `batches of the ranks: ${sizes}`);
    }),
  );
});

test('no batch is over its budget, and none is cut short', () => {
  fc.assert(
    fc.property(anyLengths, anyOptions, (lengths, options) => {
      const plan = [...planBatches(lengths, { ...options, worldSize: 1, shuffle: false })];
      const cost = (indices: Int32Array): number =>
        Math.max(total(lengths.sourceLengths, indices), total(lengths.targetLengths, indices));
      plan.forEach((batch, i) => {
        assert.ok(batch.length > 0);
        assert.ok(cost(batch) <= options.maxTokens);
        const next = plan[i + 1];
        if (next !== undefined) assert.ok(cost(Int32Array.of(...batch, next[0])) > options.maxTokens);
      });
    }),
  );
});

test('without shuffling, lengths rise through the epoch, and epochs are the same', () => {
  fc.assert(
    fc.property(anyLengths, anyOptions, (lengths, options) => {
      const plan = (epoch: number) =>
        [...planBatches(lengths, { ...options, worldSize: 1, shuffle: false, epoch })].flatMap((batch) => [
          ...batch,
        ]);
      const order = plan(1);
      assert.deepEqual(order, plan(2));
      const keys = order.map((i) => [lengths.targetLengths[i], lengths.sourceLengths[i], i]);
      assert.deepEqual(
        keys,
        keys.slice().sort((a, b) => a[0] - b[0] || a[1] - b[1] || a[2] - b[2]),
      );
    }),
  );
});

/** 200 pairs of 1 to 12 tokens; tokens tell side and index apart. */
function numberedPairs(): PairSource {
  const sourceLengths = Int32Array.from({ length: 200 }, (_, i) => 1 + (i % 11));
  const targetLengths = Int32Array.from({ length: 200 }, (_, i) => 1 + ((7 * i) % 12));
  const sentence = (length: number, token: number) => new Int32Array(length).fill(token).fill(2, length - 1);
  return {
    sourceLengths,
    targetLengths,
    pair: (i) => ({
      source: sentence(sourceLengths[i], 1000 + i),
      target: sentence(targetLengths[i], 2000 + i),
    }),
  };
}

test('the order is a function of seed and epoch', () => {
  const order = (changes: Partial<BatchOptions>): string =>
    [...planBatches(numberedPairs(), { ...OPTIONS, ...changes })].join('|');
  assert.equal(order({ epoch: 3 }), order({ epoch: 3 }));
  const orders = [order({}), order({ epoch: 2 }), order({ seed: 2 }), order({ shuffle: false })];
  assert.equal(new Set(orders).size, orders.length);
  const batchOfPair0 = (epoch: number): string =>
    String([...planBatches(numberedPairs(), { ...OPTIONS, epoch })].find((batch) => batch.includes(0)));
  assert.notEqual(batchOfPair0(1), batchOfPair0(2), 'pairs of equal lengths meet others in each epoch');
});

test('the recorded plan of a seed: resumed runs rely on it', () => {
  const lengths = {
    sourceLengths: Int32Array.of(3, 1, 2, 2, 9, 2),
    targetLengths: Int32Array.of(2, 2, 2, 2, 1, 3),
  };
  const options = { ...OPTIONS, maxTokens: 5, seed: 7, epoch: 2 };
  assert.deepEqual(new BatchCuts(lengths, options).firstSkipped(5), [4]);
  assert.deepEqual(
    [...planBatches(lengths, options)].map((batch) => [...batch]),
    [[5], [1, 2], [3, 0]],
  );
});

/** The plan as it was first written down: indices are shuffled, sorted, cut, and the batches shuffled. */
function plainPlan({ sourceLengths, targetLengths }: PairLengths, options: BatchOptions): number[][] {
  const { maxTokens, maxPositions, seed, epoch, rank, worldSize, shuffle } = options;
  const random = (site: number) => new RandomStream({ seed, step: epoch, purpose: Purpose.shuffle, site });
  const kept = [...sourceLengths.keys()].filter(
    (i) => Math.max(sourceLengths[i], targetLengths[i]) <= Math.min(maxTokens, maxPositions),
  );
  if (shuffle) random(0).shuffle(kept);
  kept.sort((a, b) => targetLengths[a] - targetLengths[b] || sourceLengths[a] - sourceLengths[b]);
  const cut: number[][] = [];
  let [source, target] = [Infinity, Infinity];
  for (const index of kept) {
    source += sourceLengths[index];
    target += targetLengths[index];
    if (Math.max(source, target) > maxTokens) {
      cut.push([]);
      [source, target] = [sourceLengths[index], targetLengths[index]];
    }
    cut.at(-1)!.push(index);
  }
  if (shuffle) random(1).shuffle(cut);
  return cut.filter((_, i) => i % worldSize === rank);
}

test('the plan is what it was when checkpoints were written, whole and for each batch alone', () => {
  fc.assert(
    fc.property(anyLengths, anyOptions, (lengths, options) => {
      const expected = plainPlan(lengths, options);
      const cuts = new BatchCuts(lengths, options);
      const plan = [...planBatches(lengths, options)].map((batch) => [...batch]);
      assert.deepEqual(plan, expected);
      for (const position of expected.keys())
        assert.deepEqual([...batchOf(cuts, options, position)], expected[position]);
    }),
  );
});

test('pairs like those of a batch have the same lengths', () => {
  fc.assert(
    fc.property(anyLengths, anyOptions, (lengths, options) => {
      const cuts = new BatchCuts(lengths, options);
      const shape = (indices: Iterable<number>) =>
        [...indices].map((i) => `${lengths.targetLengths[i]} ${lengths.sourceLengths[i]}`).sort();
      const plan = planBatches(lengths, { ...options, shuffle: false, worldSize: 1 });
      for (let cut = 0; cut < cuts.length; cut++) {
        assert.deepEqual(shape(cuts.pairsLike(cut)), shape(plan.batch(cut)));
        assert.equal(cuts.sourceTokens[cut], total(lengths.sourceLengths, plan.batch(cut)));
        assert.equal(cuts.targetTokens[cut], total(lengths.targetLengths, plan.batch(cut)));
      }
    }),
  );
});

test('batches hold the pairs of the plan', () => {
  const pairs = numberedPairs();
  const plan = planBatches(pairs, OPTIONS);
  const read = [...batches(pairs, OPTIONS)];
  assert.deepEqual(
    read.map(({ indices }) => indices),
    [...plan],
  );
  const { indices, source, targetInput, targetOutput } = read[3];
  indices.forEach((index, i) => {
    const own = (tokens: Int32Array, { offsets } = source) => tokens.subarray(offsets[i], offsets[i + 1]);
    assert.deepEqual(own(source.tokens), pairs.pair(index).source);
    assert.deepEqual(own(targetOutput, targetInput), pairs.pair(index).target);
  });
});

test('another segmentation is asked for by index and epoch, and passed over where it is too long', () => {
  const pairs = numberedPairs();
  const options = { ...OPTIONS, epoch: 4, maxPositions: 12 };
  const asked: number[] = [];
  const read = [
    ...batches(pairs, options, (pair, index, epoch) => {
      assert.equal(epoch, 4);
      asked.push(index);
      const longer = index % 2 === 0 ? 13 : 12;
      return { source: pair.source, target: new Int32Array(longer).fill(5).fill(2, longer - 1) };
    }),
  ];
  assert.deepEqual(
    asked,
    read.flatMap(({ indices }) => [...indices]),
  );
  for (const { indices, targetInput } of read) {
    indices.forEach((index, i) => {
      const length = targetInput.offsets[i + 1] - targetInput.offsets[i];
      assert.equal(length, index % 2 === 0 ? pairs.targetLengths[index] : 12);
    });
  }
});
