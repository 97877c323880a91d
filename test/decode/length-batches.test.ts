import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { lengthBatches } from '../../src/decode/length-batches.js';

test('the longest first, within both limits', () => {
  assert.deepEqual(lengthBatches([3, 9, 4, 1, 9], { maxTokens: 13, batchSize: 10 }), [[1], [4, 2], [0, 3]]);
  assert.deepEqual(lengthBatches([2, 2, 2, 2, 2], { maxTokens: 100, batchSize: 2 }), [[0, 1], [2, 3], [4]]);
  assert.deepEqual(lengthBatches([], { maxTokens: 100, batchSize: 2 }), []);
});

test('every sentence once, within both limits unless alone', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 50 })),
      fc.integer({ min: 1, max: 120 }),
      fc.integer({ min: 1, max: 9 }),
      (lengths, maxTokens, batchSize) => {
        const batches = lengthBatches(lengths, { maxTokens, batchSize });
        assert.deepEqual(
          batches.flat().sort((a, b) => a - b),
          lengths.map((_, i) => i),
        );
        for (const batch of batches) {
          assert.ok(batch.length >= 1 && batch.length <= batchSize);
          const tokens = batch.reduce((sum, i) => sum + lengths[i], 0);
          assert.ok(batch.length === 1 || tokens <= maxTokens);
        }
      },
    ),
  );
});
