import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pack, packBatch } from '../../src/data/batch.js';

test('sentences one after another, empty ones too', () => {
  const { tokens, offsets } = pack([[4, 5, 2], [], [2], Int32Array.of(6, 2)]);
  assert.deepEqual([...tokens], [4, 5, 2, 2, 6, 2]);
  assert.deepEqual([...offsets], [0, 3, 3, 4, 6]);
  assert.deepEqual([...pack([]).offsets], [0]);
});

test('the decoder reads </s> and the target, and predicts the target and </s>', () => {
  const batch = packBatch(
    [7, 3],
    [
      { source: Int32Array.of(10, 11, 2), target: Int32Array.of(20, 2) },
      { source: Int32Array.of(2), target: Int32Array.of(21, 22, 2) },
    ],
    2,
  );
  assert.deepEqual([...batch.indices], [7, 3]);
  assert.deepEqual([...batch.source.tokens], [10, 11, 2, 2]);
  assert.deepEqual([...batch.targetInput.tokens], [2, 20, 2, 21, 22]);
  assert.deepEqual([...batch.targetInput.offsets], [0, 2, 5]);
  assert.deepEqual([...batch.targetOutput], [20, 2, 21, 22, 2]);
});
