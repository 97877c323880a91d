import { test } from 'node:test';
import { linear } from '../../src/ops/matmul.js';
import { SharedWeight } from '../../src/ops/shared-weight.js';
import { tf } from '../../src/ops/tf.js';
import { allClose } from './all-close.js';
import { onEachBackend } from './backends.js';
import { matrix } from './samples.js';

onEachBackend(() => {
  test('the product of `linear`, to the last bit', () => {
    for (const [rows, width, out] of [
      [1, 1, 1],
      [3, 5, 33],
      [40, 70, 9],
      [2, 1030, 65],
    ]) {
      tf.tidy(() => {
        const weight = matrix(out, width, 1);
        const shared = new SharedWeight(weight);
        for (const seed of [2, 3]) {
          const x = matrix(rows, width, seed);
          allClose(shared.apply(x), linear(x, weight, null), { absolute: 0, relative: 0 });
        }
        shared.dispose();
      });
    }
  });
});
