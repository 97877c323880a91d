import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { alone, type Communicator } from '../../src/common/communicator.js';
import { tf } from '../../src/ops/tf.js';
import { bucketStarts, GradientBuckets } from '../../src/train/gradient-buckets.js';
import { tensorsLeft, useBackend } from './tiny.js';

before(() => useBackend('cpu'));

const MILLION = 2 ** 20;

/** A rank whose partner has the same gradients: sums are doubles, which arrive when they are waited for. */
function twins(): { communicator: Communicator; log: string[] } {
  const log: string[] = [];
  const communicator: Communicator = {
    ...alone,
    size: 2,
    beginSum: (arrays) => {
      const name = arrays.map(({ length }) => length).join('+');
      log.push(`begin ${name}`);
      return {
        wait: () => {
          log.push(`wait ${name}`);
          for (const array of arrays) array.set(array.map((x) => 2 * x));
        },
      };
    },
  };
  return { communicator, log };
}

describe('weights are cut into buckets', () => {
  test('from the last to the first, of 4 MiB or more', () => {
    assert.deepEqual(bucketStarts([3, 2, 5]), [0]);
    assert.deepEqual(bucketStarts([5 * MILLION, 1, MILLION - 1, MILLION, 7]), [3, 1, 0]);
    assert.deepEqual(bucketStarts([1, MILLION - 1, MILLION - 1, 1]), [2, 0]);
    assert.deepEqual(bucketStarts([1, MILLION, 1]), [1, 0]);
  });

  test('each weight once, whatever the sizes', () => {
    for (let seed = 1; seed < 200; seed++) {
      const sizes = Array.from({ length: (seed % 17) + 1 }, (_, i) =>
        Math.ceil(((seed * 7919 + i * 104729) % 97) ** 3.3),
      );
      const starts = bucketStarts(sizes);
      assert.equal(starts.at(-1), 0);
      starts.slice(0, -1).forEach((start, i) => {
        const floats = sizes.slice(start, starts[i - 1]).reduce((sum, size) => sum + size, 0);
        assert.ok(floats >= MILLION && floats - sizes[start] < MILLION, `${sizes}`);
      });
    }
  });
});

describe('sums over processes', () => {
  const SIZES = [2, MILLION, 3, MILLION];
  const give = (buckets: GradientBuckets, place: number) =>
    buckets.give(place, tf.fill([SIZES[place]], place + 1));

  test('begin as soon as a bucket is full, in one order, and figures come last', () => {
    const { communicator, log } = twins();
    const buckets = new GradientBuckets(communicator, SIZES);
    const figures = Float64Array.of(0.5);
    for (let update = 0; update < 2; update++) {
      log.length = 0;
      const sums: tf.Tensor[] = [];
      for (const place of [2, 1, 3, 0]) sums[place] = give(buckets, place);
      const begun = [`begin ${MILLION}`, `begin ${MILLION}+3`, 'begin 2'];
      assert.deepEqual(log, begun);
      buckets.finish([figures]);
      assert.deepEqual(log.slice(3), ['begin 1', `wait ${MILLION}`, `wait ${MILLION}+3`, 'wait 2', 'wait 1']);
      sums.forEach((sum, place) => {
        assert.equal(sum.size, SIZES[place]);
        assert.ok(sum.dataSync().every((x) => x === 2 * (place + 1)));
      });
      tf.dispose(sums);
    }
    assert.equal(figures[0], 2);
  });

  test('leave alone whoever has the memory of a gradient, too', async () => {
    const left = await tensorsLeft(async () => {
      const buckets = new GradientBuckets(twins().communicator, [2, 2, 2]);
      const slope = tf.tensor1d([1, 2]);
      const sums = [0, 1].map((place) => buckets.give(place, tf.reshape(slope, [2])));
      sums.push(buckets.give(2, tf.tensor1d([5, 6])));
      buckets.finish([]);
      assert.deepEqual(
        sums.map((sum) => [...sum.dataSync()]),
        [
          [2, 4],
          [2, 4],
          [10, 12],
        ],
      );
      assert.deepEqual([...slope.dataSync()], [1, 2]);
      tf.dispose([slope, sums]);
    });
    assert.equal(left, 0);
  });
});
