import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { tf } from '../../src/ops/tf.js';
import { type TopLogProbs, topLogProbs } from '../../src/ops/top-log-probs.js';
import { allClose } from './all-close.js';
import { onEachBackend } from './backends.js';
import { matrix, rowsOf } from './samples.js';

const { NaN: nan, POSITIVE_INFINITY: inf } = Number;

/** Log-probabilities of a row of logits, in doubles. */
function logProbabilities(row: number[]): number[] {
  const most = Math.max(...row);
  const partition = most + Math.log(row.reduce((sum, z) => sum + Math.exp(z - most), 0));
  return row.map((z) => z - partition);
}

/** Ids in the order that is promised: larger logits first, NaN last, ties to the lower id. */
const order = (row: number[], forbid: readonly number[] = []): number[] =>
  [...row.keys()]
    .filter((id) => !forbid.includes(id))
    .sort((a, b) => {
      if (Number.isNaN(row[a]) || Number.isNaN(row[b]))
        return +Number.isNaN(row[a]) - +Number.isNaN(row[b]) || a - b;
      return row[a] === row[b] ? a - b : row[b] > row[a] ? 1 : -1;
    });

async function top(rows: number[][], k: number, forbid?: readonly number[], asked = 0): Promise<TopLogProbs> {
  const logits = tf.tensor2d(rows);
  const result = await topLogProbs(logits, k, forbid ?? [], asked);
  logits.dispose();
  return result;
}

async function compare(rows: number[][], k: number, forbid: readonly number[] = []): Promise<void> {
  const { ids, logProbs } = await top(rows, k, forbid);
  assert.equal(ids.length, rows.length * k);
  rows.forEach((row, i) => {
    const expected = order(row, forbid).slice(0, k);
    assert.deepEqual([...ids.subarray(i * k, (i + 1) * k)], expected);
    const worked = logProbabilities(row);
    allClose(
      logProbs.subarray(i * k, (i + 1) * k),
      expected.map((id) => worked[id]),
      { absolute: 2e-6 },
    );
  });
}

onEachBackend(() => {
  test('by hand: probabilities ¼, ⅛, ½, ⅛', async () => {
    const row = [2, 1, 4, 1].map(Math.log);
    const { ids, logProbs } = await top([row], 3);
    assert.deepEqual([...ids], [2, 0, 1]);
    allClose(logProbs, [0.5, 0.25, 0.125].map(Math.log));
  });

  test('the best stand behind many that are worse', async () => {
    for (const best of [15, 16, 40, 99]) {
      await compare(
        [Array.from({ length: 100 }, (_, id) => (id >= best ? 10 + (id % 7) : id < 3 ? 5 : -1))],
        3,
      );
    }
  });

  test('ties go to the lower id, at the edge of k as well', async () => {
    assert.deepEqual([...(await top([[1, 3, 3, 1, 3, 0]], 2)).ids], [1, 2]);
    assert.deepEqual([...(await top([[1, 3, 3, 1, 3, 0]], 5)).ids], [1, 2, 4, 0, 3]);
    assert.deepEqual([...(await top([[7, 7, 7, 7]], 3)).ids], [0, 1, 2]);
    assert.deepEqual([...(await top([[-0, 0]], 2)).ids], [0, 1]);
  });

  test('random rows, half of them full of ties: any k, any list of forbidden ids', async () => {
    const cell = (ties: boolean) =>
      ties ? fc.integer({ min: -2, max: 2 }) : fc.float({ min: -20, max: 20, noNaN: true });
    const rows = fc
      .tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 23 }), fc.boolean())
      .chain(([count, size, ties]) =>
        fc.array(fc.array(cell(ties), { minLength: size, maxLength: size }), {
          minLength: count,
          maxLength: count,
        }),
      );
    await fc.assert(
      fc.asyncProperty(
        rows,
        fc.array(fc.nat({ max: 22 }), { maxLength: 5 }),
        fc.nat(),
        async (values, forbid, draw) => {
          const allowed = order(values[0], forbid).length;
          fc.pre(allowed > 0);
          await compare(values, 1 + (draw % allowed), forbid);
        },
      ),
      { seed: 8, numRuns: 80 },
    );
  });

  test('k = the whole row, k = 1 and k = all that is not forbidden', async () => {
    const rows = rowsOf(matrix(3, 11));
    await compare(rows, 11);
    await compare(rows, 1);
    await compare(rows, 8, [0, 10, 4]);
    await compare([[5]], 1);
  });

  test('forbidden ids keep their share of the probability', async () => {
    const row = [Math.log(6), 0, 0];
    const { ids, logProbs } = await top([row], 2, [0]);
    assert.deepEqual([...ids], [1, 2]);
    allClose(logProbs, [Math.log(1 / 8), Math.log(1 / 8)]);
  });

  test('logits of 1e4, −1e9 and −∞ are exact', async () => {
    const { ids, logProbs } = await top([[-1e9, 1e4, -inf, 1e4 - 1]], 4);
    const partition = Math.log(1 + Math.exp(-1));
    assert.deepEqual([...ids], [1, 3, 0, 2]);
    allClose(logProbs, [-partition, -1 - partition, -1e9 - 1e4, -inf], { absolute: 1e-3 });
    await compare([[0, 0, 0]], 3);
  });

  test('NaN sorts last wherever it stands, and makes NaN of the whole row', async () => {
    for (const row of [
      [nan, 1, 2, 0],
      [1, nan, 2, 0],
      [1, 2, 0, nan],
      [nan, -inf, nan, 3],
    ]) {
      for (const k of [1, 2, 3, 4]) {
        const { ids, logProbs } = await top([row], k);
        assert.deepEqual([...ids], order(row).slice(0, k));
        assert.ok(logProbs.every(Number.isNaN));
      }
    }
    assert.deepEqual([...(await top([[nan, nan, nan]], 2)).ids], [0, 1]);
  });

  test('+∞ and a row of −∞ have no probabilities: NaN', async () => {
    for (const row of [
      [0, inf, 1],
      [-inf, -inf, -inf],
    ]) {
      const { ids, logProbs, ofAsked } = await top([row], 2);
      assert.deepEqual([...ids], order(row).slice(0, 2));
      assert.ok(logProbs.every(Number.isNaN));
      assert.ok(ofAsked.every(Number.isNaN));
    }
  });

  test('a row has the same result alone and among others, bit for bit, also beside NaN', async () => {
    const rows = [...rowsOf(matrix(5, 37)), Array(37).fill(nan), Array(37).fill(1e4)];
    const together = await top(rows, 4);
    for (const [i, row] of rows.entries()) {
      const alone = await top([row], 4);
      assert.deepEqual(alone.ids, together.ids.slice(i * 4, i * 4 + 4));
      assert.deepEqual(alone.logProbs, together.logProbs.slice(i * 4, i * 4 + 4));
    }
  });

  test('of the id that is asked for: the same number as among the best, forbidden or not', async () => {
    const rows = rowsOf(matrix(4, 9));
    const { ids, logProbs } = await top(rows, 9);
    for (const asked of [0, 5, 8]) {
      for (const forbid of [[], [asked]]) {
        const { ofAsked } = await top(rows, 3, forbid, asked);
        allClose(
          ofAsked,
          rows.map((row) => logProbabilities(row)[asked]),
        );
        ofAsked.forEach((x, row) => {
          const place = ids.subarray(row * 9, row * 9 + 9).indexOf(asked);
          assert.equal(x, logProbs[row * 9 + place]);
        });
      }
    }
  });

  test('no rows give nothing; no tensor stays', async () => {
    const [none, some] = [tf.zeros<tf.Rank.R2>([0, 3]), matrix(2, 3)];
    const before = tf.memory().numTensors;
    assert.deepEqual(await topLogProbs(none, 2, [], 0), {
      ...{ ids: new Int32Array(0), logProbs: new Float32Array(0), ofAsked: new Float32Array(0) },
    });
    await topLogProbs(some, 2, [0], 1);
    assert.equal(tf.memory().numTensors, before);
    tf.dispose([none, some]);
  });
});
