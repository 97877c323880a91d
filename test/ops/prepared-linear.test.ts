import { test } from 'node:test';
import { linear } from '../../src/ops/matmul.js';
import { PreparedLinear } from '../../src/ops/prepared-linear.js';
import { tf } from '../../src/ops/tf.js';
import { allClose } from './all-close.js';
import { onEachBackend } from './backends.js';
import { matrix, vector } from './samples.js';

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
        for (const bias of [null, vector(out, 4)]) {
          const prepared = new PreparedLinear(weight, bias);
          for (const seed of [2, 3]) {
            const x = matrix(rows, width, seed);
            allClose(prepared.apply(x), linear(x, weight, bias), { absolute: 0, relative: 0 });
          }
          prepared.dispose();
        }
      });
    }
  });
});
