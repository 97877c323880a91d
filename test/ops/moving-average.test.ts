import assert from 'node:assert/strict';
import { test } from 'node:test';
import { movingAverage } from '../../src/ops/moving-average.js';
import { tf } from '../../src/ops/tf.js';
import { onEachBackend } from './backends.js';
import { normal } from './samples.js';

onEachBackend(() => {
  test('a + (1 − decay)(p − a), in place', () => {
    for (const size of [1, 7, 70_001]) {
      const [average, parameter] = [tf.variable(normal([size], 1)), tf.variable(normal([size], 2))];
      const [a, p] = [average.dataSync(), parameter.dataSync()].map((values) => Float32Array.from(values));
      movingAverage([average], [parameter], 0.75);
      const found = average.dataSync();
      a.forEach((before, i) => {
        const expected = before + 0.25 * (p[i] - before);
        assert.ok(Math.abs(found[i] - expected) <= 1e-6 * (Math.abs(before) + Math.abs(p[i])), `${i}`);
      });
      assert.deepEqual(Float32Array.from(parameter.dataSync()), p);
      tf.dispose([average, parameter]);
    }
  });
});
