import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  courseOf,
  courseOfUpdate,
  epochOf,
  foretell,
  NETWORKS,
  sumsOfUpdate,
  type Work,
} from '../../src/distributed/cost-model.js';

const near = (found: number, expected: number): void =>
  assert.ok(Math.abs(found - expected) < 1e-9 * Math.abs(expected), `${found}, expected ${expected}`);

/** Six batches, 10 ms a token, 1 s an update. */
const work: Work = {
  ...{ bucketBytes: [8e6], updateFreq: 1, secondsOfToken: 0.01, secondsOfUpdate: 1 },
  tokens: [100, 300, 200, 200, 400, 100],
};

test('what crosses a wire of 100 Gb/s takes 94 % of its bits, and half of it an addition at 4 GB/s', () => {
  const { bandwidth } = NETWORKS.find(({ name }) => name.startsWith('100 Gb/s'))!;
  near(1e9 / bandwidth, 8e9 / (0.94 * 1e11) + 0.5e9 / 4e9);
});

describe('a sum over ranks takes', () => {
  test('nothing for one', () => assert.deepEqual(courseOf(8e6, 1), { messages: 0, bytes: 0 }));

  test('2 (1 − 1/n) of its bytes, in as many messages each way as n has halves', () => {
    assert.deepEqual(courseOf(8e6, 2), { messages: 2, bytes: 8e6 }); // half there, the other half back
    assert.deepEqual(courseOf(8e6, 4), { messages: 4, bytes: 12e6 }); // 4 + 2 there, 2 + 4 back
    assert.deepEqual(courseOf(8e6, 64), { messages: 12, bytes: 15.75e6 });
  });

  test('all of its bytes there and back more where n is no power of two', () => {
    assert.deepEqual(courseOf(8e6, 3), { messages: 4, bytes: 24e6 });
    assert.deepEqual(courseOf(8e6, 6), { messages: 6, bytes: 28e6 });
  });

  test('half as many messages where it is small, of all its bytes', () => {
    assert.deepEqual(courseOf(100, 4), { messages: 2, bytes: 200 });
    assert.deepEqual(courseOf(100, 5), { messages: 4, bytes: 400 });
  });

  test('an update sums figures beside the gradients', () => {
    // two losses of each of 2 batches, four figures of each of 2 ranks, six decisions: 18 numbers
    assert.deepEqual(courseOfUpdate(work, 2), { messages: 3, bytes: 8e6 + 8 * 18 });
  });
});

describe('an epoch of ranks', () => {
  test('is that of the slowest of each update', () => {
    assert.deepEqual(epochOf(work, 1), { updates: 6, mean: 19, slowest: 19 }); // 1300 tokens and six steps
    assert.deepEqual(epochOf(work, 2), { updates: 3, mean: 9.5, slowest: 12 }); // 300 + 200 + 400 tokens
    assert.deepEqual(epochOf({ ...work, updateFreq: 2 }, 2), { updates: 2, mean: 8.5, slowest: 11 }); // 400 + 500
  });

  test('has ranks without a batch where there are more of them than batches', () => {
    assert.deepEqual(epochOf(work, 8), { updates: 1, mean: 1300 / 8 / 100 + 1, slowest: 5 });
  });

  test('waits for the sums that the backward pass does not hide, and for the last of them', () => {
    // a batch takes 13/6 s, two thirds of it backwards; of four buckets the first is there after a quarter of that
    const some = { ...work, bucketBytes: [2e6, 2e6, 2e6, 2e6] };
    const beside = (2 / 3) * (13 / 6) * (3 / 4);
    const [slow, fast] = [4e6, 4e7].map((bandwidth) => ({ name: 'a wire', latency: 0.01, bandwidth }));
    const slowSums = sumsOfUpdate(some, 2, slow);
    near(slowSums.all, 9 * 0.01 + (8e6 + 144) / 4e6);
    near(slowSums.waited, slowSums.all - beside);
    near(sumsOfUpdate(some, 2, fast).waited, 3 * 0.01 + (2e6 + 144) / 4e7);
    near(foretell(some, 2, fast).seconds, 12 + 3 * (3 * 0.01 + (2e6 + 144) / 4e7));
    const one = sumsOfUpdate(work, 2, slow); // one bucket: nothing is hidden
    near(one.waited, one.all);
  });

  test('takes in addition what the sums take', () => {
    const network = { name: 'a wire', latency: 0.1, bandwidth: 8e6 };
    near(foretell(work, 1, network).efficiency, 1);
    const { seconds, efficiency } = foretell(work, 2, network);
    near(seconds, 12 + 3 * (3 * 0.1 + (8e6 + 144) / 8e6));
    near(efficiency, 19 / (2 * seconds));
  });
});

test('a wire carries less than its bits, and a faster one is better', () => {
  for (const [i, { bandwidth }] of NETWORKS.entries()) {
    assert.ok(bandwidth < [1e9, 1e10, 2.5e10, 1e11][i] / 8);
    const { efficiency } = foretell({ ...work, secondsOfToken: 1e-5, secondsOfUpdate: 0 }, 4, NETWORKS[i]);
    assert.ok(
      i === 0 ||
        efficiency >
          foretell({ ...work, secondsOfToken: 1e-5, secondsOfUpdate: 0 }, 4, NETWORKS[i - 1]).efficiency,
    );
  }
});
