import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BatchCuts } from '../../src/data/batch-cuts.js';
import { planBatches } from '../../src/data/batch-iterator.js';
import { atTemperature, CorpusMix, lengthsOfEpoch } from '../../src/data/corpus-mix.js';
import { batchOf } from '../../src/data/epoch-plan.js';
import type { ParallelDataset, SentencePair } from '../../src/data/parallel-dataset.js';

/** A part of so many pairs; the first token of each says which it is. */
function part(name: number, size: number): ParallelDataset {
  const lengths = Int32Array.from({ length: size }, (_, i) => 2 + ((7 * i + name) % 5));
  const pair = (i: number): SentencePair => ({
    source: Int32Array.of(name, i),
    target: Int32Array.of(name, i),
  });
  return {
    ...{
      size,
      sourceLengths: lengths,
      targetLengths: lengths.map((length) => length + 1),
      hash: `${name}`,
      pair,
    },
    pairs: async (indices: Int32Array) => Array.from(indices, pair),
    close() {},
  } as unknown as ParallelDataset;
}

const options = {
  ...{ seed: 3, epoch: 1, rank: 0, worldSize: 1, shuffle: true },
  ...{ maxTokens: 60, maxPositions: 100 },
};

/** How often an epoch has each pair. */
function uses(mix: CorpusMix, epoch: number): number[] {
  const counts = new Array<number>(mix.size).fill(0);
  const epochOptions = { ...options, epoch };
  for (const batch of planBatches(lengthsOfEpoch(mix, epochOptions), epochOptions)) {
    for (const index of batch) counts[index]++;
  }
  return counts;
}

const total = (counts: readonly number[]): number => counts.reduce((sum, count) => sum + count, 0);

test('corpora of weight 1 are one split: every epoch has every pair once', () => {
  const mix = new CorpusMix([part(0, 40), part(1, 25)], [1, 1]);
  assert.equal(mix.draw, undefined);
  assert.equal(lengthsOfEpoch(mix, options), mix);
  assert.deepEqual(uses(mix, 1), new Array(65).fill(1));
});

test('a weight is how often an epoch has each pair; the part of a pass is drawn anew each epoch', () => {
  const mix = new CorpusMix([part(0, 40), part(1, 100), part(2, 30)], [2, 0.25, 1.5]);
  const epochs = [1, 2, 3].map((epoch) => uses(mix, epoch));
  for (const counts of epochs) {
    assert.deepEqual(counts.slice(0, 40), new Array(40).fill(2));
    assert.equal(total(counts.slice(40, 140)), 25);
    assert.ok(Math.max(...counts.slice(40, 140)) === 1);
    assert.equal(total(counts.slice(140)), 45);
    assert.deepEqual([...new Set(counts.slice(140))].sort(), [1, 2]);
  }
  assert.notDeepEqual(epochs[0], epochs[1]);
  const again = new CorpusMix([part(0, 40), part(1, 100), part(2, 30)], [2, 0.25, 1.5]);
  assert.deepEqual(uses(again, 3), epochs[2], 'an epoch is a function of its seed and number alone');
});

test('a temperature evens sizes out, and an epoch keeps its number of pairs', () => {
  const sizes = [40, 90, 10];
  const mixed = (weights: number[], temperature: number): number[] => {
    const parts = sizes.map((size, name) => part(name, size));
    const counts = uses(new CorpusMix(parts, atTemperature(weights, sizes, temperature)), 1);
    return [counts.slice(0, 40), counts.slice(40, 130), counts.slice(130)].map(total);
  };
  assert.deepEqual(mixed([1, 1, 1], 1), sizes);
  // √40 : √90 : √10 = 2 : 3 : 1
  assert.deepEqual(mixed([1, 1, 1], 2), [47, 70, 23]);
  // Of weights 1, 4, 4 it is √40 : √360 : √40 = 1 : 3 : 1, of 440 pairs.
  assert.deepEqual(mixed([1, 4, 4], 2), [88, 264, 88]);
  assert.deepEqual(mixed([1, 1, 1], 1000), [47, 47, 47]);
  assert.deepEqual(atTemperature([0.3, 3], [7, 11], 1), [0.3, 3]);
});

test('every pair of a corpus comes about as often as the others', () => {
  const mix = new CorpusMix([part(0, 50)], [0.5]);
  const counts = new Array<number>(50).fill(0);
  for (let epoch = 1; epoch <= 400; epoch++) {
    for (const [i, count] of uses(mix, epoch).entries()) counts[i] += count;
  }
  assert.equal(total(counts), 400 * 25);
  assert.ok(Math.min(...counts) > 150 && Math.max(...counts) < 250, `${counts}`);
});

test('a corpus that is repeated in whole is planned with the same cuts in every epoch', () => {
  const mix = new CorpusMix([part(0, 40), part(1, 25)], [1, 3]);
  assert.equal(mix.draw!(1, 1), mix.draw!(1, 2));
});

test('a batch that is found without a plan, and pairs like it, are pairs of the corpora', async () => {
  const mix = new CorpusMix([part(0, 40), part(1, 100)], [2, 0.3]);
  const lengths = lengthsOfEpoch(mix, options);
  const cuts = new BatchCuts(lengths, options);
  const plan = planBatches(lengths, options);
  for (let i = 0; i < plan.length; i++) assert.deepEqual(batchOf(cuts, options, i), plan.batch(i));
  const like = cuts.pairsLike(0);
  const tokens = like.reduce((sum, index) => sum + mix.sourceLengths[index], 0);
  assert.equal(tokens, cuts.sourceTokens[0]);
  const read = await mix.pairs(plan.batch(0));
  assert.deepEqual(
    read,
    Array.from(plan.batch(0), (index) => mix.pair(index)),
  );
  assert.deepEqual([...mix.pair(41).source], [1, 1]);
});

test('what is trained on is named with how it is mixed', () => {
  const parts = [part(0, 4), part(1, 5)];
  assert.notEqual(new CorpusMix(parts, [1, 1]).hash, new CorpusMix(parts, [1, 2]).hash);
});
