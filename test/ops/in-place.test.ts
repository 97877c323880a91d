import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isInMemory, memoryOf } from '../../src/ops/in-place.js';
import { tf } from '../../src/ops/tf.js';
import { onEachBackend } from './backends.js';

onEachBackend((backend) => {
  test('the memory of tensors is that of the process on native and cpu alone', () => {
    const x = tf.tensor1d([1, 2]);
    assert.equal(isInMemory(), backend === 'native' || backend === 'cpu');
    assert.deepEqual(memoryOf(x), isInMemory() ? Float32Array.of(1, 2) : undefined);
    x.dispose();
  });
});
