import { test } from 'node:test';
import { attention } from '../../src/ops/attention.js';
import { attentionWeights } from '../../src/ops/attention-weights.js';
import { tf } from '../../src/ops/tf.js';
import { allClose } from './all-close.js';
import { onEachBackend } from './backends.js';
import { matrix } from './samples.js';

const Q_OFFSETS = Int32Array.of(0, 3, 4, 9);
const K_OFFSETS = Int32Array.of(0, 2, 8, 9);
const [HEADS, WIDTH] = [3, 6];

/** Written down sentence by sentence, in doubles; zeros where a sentence has no query or no key. */
function weightsOf(q: number[][], k: number[][], heads: readonly number[]): number[] {
  const [grid, size] = [[] as number[], WIDTH / HEADS];
  for (let i = 0; i < 3; i++)
    for (let row = 0; row < 5; row++) {
      const query = Q_OFFSETS[i] + row;
      const powers = Array.from({ length: 6 }, (_, column) => {
        const key = K_OFFSETS[i] + column;
        if (query >= Q_OFFSETS[i + 1] || key >= K_OFFSETS[i + 1]) return heads.map(() => 0);
        return heads.map((head) => {
          let score = 0;
          for (let c = head * size; c < (head + 1) * size; c++) score += q[query][c] * k[key][c];
          return Math.exp(score / Math.sqrt(size));
        });
      });
      const sums = heads.map((_, h) => powers.reduce((sum, power) => sum + power[h], 0));
      for (const power of powers)
        grid.push(power.reduce((sum, value, h) => sum + (value && value / sums[h]), 0) / heads.length);
    }
  return grid;
}

/** Without the rows that no query has. */
const real = (grid: ArrayLike<number>): number[] =>
  Array.from(grid).filter((_, cell) => {
    const [i, row] = [Math.floor(cell / 30), Math.floor(cell / 6) % 5];
    return Q_OFFSETS[i] + row < Q_OFFSETS[i + 1];
  });

onEachBackend(() => {
  test('of one head and of all, as worked in doubles; of columns of wider tensors, too', async () => {
    const [q, wide] = [matrix(9, WIDTH), matrix(9, WIDTH + 4)];
    const keys = { tensor: wide, column: 3 };
    const columns = tf.slice(wide, [0, 3], [9, WIDTH]);
    const [qRows, kRows] = [await q.array(), await columns.array()];
    for (const [head, heads] of [
      [0, [0]],
      [2, [2]],
      [null, [0, 1, 2]],
    ] as const) {
      const found = attentionWeights(q, keys, Q_OFFSETS, K_OFFSETS, { heads: HEADS, head }, WIDTH);
      allClose(real(await found.data()), real(weightsOf(qRows, kRows, heads)), { absolute: 1e-6 });
    }
  });

  test('what they weigh is what attention gives', async () => {
    const [q, k, v] = [matrix(9, WIDTH), matrix(9, WIDTH), matrix(9, WIDTH)];
    const options = { heads: 1, causal: false, dropout: 0, key: null };
    const expected = await attention(q, k, v, Q_OFFSETS, K_OFFSETS, options).data();
    const weights = await attentionWeights(q, k, Q_OFFSETS, K_OFFSETS, { heads: 1, head: 0 }, WIDTH).array();
    const values = await v.array();
    const found = weights.flatMap((rows, i) =>
      rows
        .slice(0, Q_OFFSETS[i + 1] - Q_OFFSETS[i])
        .flatMap((row) =>
          Array.from({ length: WIDTH }, (_, c) =>
            row.reduce((sum, weight, j) => sum + (weight && weight * values[K_OFFSETS[i] + j][c]), 0),
          ),
        ),
    );
    allClose(found, expected, { absolute: 1e-5 });
  });
});
