import { test } from 'node:test';
import { activate } from '../../src/ops/feed-forward.js';
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
          const prepared = PreparedLinear.of(weight, bias);
          for (const seed of [2, 3]) {
            const x = matrix(rows, width, seed);
            const expected = linear(x, weight, bias);
            allClose(prepared.apply(x), expected, { absolute: 0, relative: 0 });
            if (bias === null) continue;
            for (const activation of ['relu', 'gelu'] as const) {
              allClose(prepared.apply(x, activation), activate(expected, activation));
            }
          }
          prepared.dispose();
        }
      });
    }
  });
});
