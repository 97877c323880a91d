import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BatchCuts } from '../../src/data/batch-cuts.js';
import { planBatches } from '../../src/data/batch-iterator.js';
import { batchOf } from '../../src/data/epoch-plan.js';

type Pair = [source: number, target: number];

const lengthsOf = (pairs: Pair[]) => ({
  sourceLengths: Int32Array.from(pairs, ([source]) => source),
  targetLengths: Int32Array.from(pairs, ([, target]) => target),
});

/** `batch_by_size_fast` of fairseq, pair by pair: sizes of the batches of pairs in their order. */
function fairseqBatches(pairs: Pair[], maxTokens: number, multiple = 8): number[] {
  const sizes: number[] = [];
  let batch: number[] = [];
  for (const pair of pairs) {
    const longest = Math.max(...batch, ...pair);
    if (batch.length > 0 && (batch.length + 1) * longest > maxTokens) {
      const size = Math.max(multiple * Math.floor(batch.length / multiple), batch.length % multiple);
      sizes.push(size);
      batch = batch.slice(size);
    }
    batch.push(Math.max(...pair));
  }
  if (batch.length > 0) sizes.push(batch.length);
  return sizes;
}

const OPTIONS = { batchBy: 'padded-tokens', maxPositions: 1000, seed: 3, epoch: 2 } as const;
const ONE = { rank: 0, worldSize: 1 } as const;

test('padded-tokens gives the batches of fairseq, in its order', () => {
  const length = fc.oneof(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 60 }));
  const anyPairs = fc.array(fc.tuple(length, length), { maxLength: 150 });
  fc.assert(
    fc.property(anyPairs, fc.integer({ min: 60, max: 400 }), (pairs, maxTokens) => {
      const lengths = lengthsOf(pairs);
      const plan = [...planBatches(lengths, { ...OPTIONS, ...ONE, maxTokens, shuffle: false })];
      const ordered = pairs.toSorted(([a, b], [c, d]) => a - c || b - d);
      assert.deepEqual(
        plan.flatMap((batch) => [...batch].map((i) => pairs[i])),
        ordered,
      );
      assert.deepEqual(
        plan.map(({ length }) => length),
        fairseqBatches(ordered, maxTokens),
      );
      const cuts = new BatchCuts(lengths, { ...OPTIONS, maxTokens });
      for (const [side, found] of [cuts.sourceTokens, cuts.targetTokens].entries()) {
        const tokens = plan.map((batch) => batch.reduce((sum, i) => sum + pairs[i][side], 0));
        assert.deepEqual([...found], tokens);
      }
      const shuffled = { ...OPTIONS, ...ONE, maxTokens, shuffle: true };
      [...planBatches(lengths, shuffled)].forEach((batch, position) => {
        assert.deepEqual(batchOf(cuts, shuffled, position), batch);
      });
    }),
  );
});

test('padding counts, and what does not fill a multiple of 8 begins the next batch', () => {
  const pairs: Pair[] = [...Array<Pair>(20).fill([10, 4]), ...Array<Pair>(10).fill([20, 4])];
  const sizes = (batchBy: 'tokens' | 'padded-tokens') => {
    const { starts } = new BatchCuts(lengthsOf(pairs), { batchBy, maxTokens: 200, maxPositions: 100 });
    return [...starts].slice(1).map((end, i) => end - starts[i]);
  };
  // By hand: 16 of the 20 short ones; the other 4 with 6 long ones are 10 × 20 tokens, of which 8 pairs stay.
  assert.deepEqual(sizes('padded-tokens'), [16, 8, 6]);
  assert.deepEqual(sizes('tokens'), [20, 10]);
});
