import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { entropyOf } from '../../../src/metrics/numpy-random.js';
import { layOut, sumSamples } from '../../../src/metrics/sampling.js';
import { SegmentStatistics } from '../../../src/metrics/segment-statistics.js';
import { sumOnThreads } from '../../../src/workflows/score/threads.js';

/** Some of them are no whole numbers, so that an order of summing shows. */
const segments = new SegmentStatistics();
for (let i = 0; i < 1501; i++)
  segments.add(Array.from({ length: 6 }, (_, k) => ((i * 31 + k * 17) % 23) / 3));

for (const [kind, samples] of [
  ['resamples', 1003],
  ['trials', 5003],
] as const) {
  describe(kind, () => {
    for (const seed of [0, 12345, null]) {
      const sampling = { kind, samples, ...layOut(kind, [segments]), entropy: entropyOf(seed) };
      const alone = sumSamples(sampling);
      for (const threads of [1, 2, 3]) {
        test(`seed ${seed}: ${threads} threads make the sums of one`, () => {
          const sums = sumOnThreads(sampling, threads);
          assert.equal(sums.length, alone.length);
          assert.ok(sums.every((sum, i) => sum === alone[i]));
        });
      }
    }

    test('a few samples leave threads without work', () => {
      const sampling = { kind, samples: 2, ...layOut(kind, [segments]), entropy: [5] };
      assert.deepEqual([...sumOnThreads(sampling, 3)], [...sumSamples(sampling)]);
    });
  });
}
