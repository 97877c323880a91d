import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { entropyOf, NumpyGenerator } from '../../src/metrics/numpy-random.js';
import { createSampler, layOut, type Sampling, sumSamples } from '../../src/metrics/sampling.js';
import { SegmentStatistics } from '../../src/metrics/segment-statistics.js';

/** Statistics that are whole numbers, as those of BLEU. */
function statistics(size: number, width: number): SegmentStatistics {
  const segments = new SegmentStatistics();
  for (let i = 0; i < size; i++) {
    segments.add(Array.from({ length: width }, (_, k) => ((i * 31 + k * 17) % 23) - 5));
  }
  return segments;
}

function sampling(kind: Sampling['kind'], samples: number, tables: SegmentStatistics[]) {
  const { table, width, offsets } = layOut(kind, tables);
  return { offsets, sampling: { kind, samples, table, width, entropy: entropyOf(7) } };
}

/** The sum of the rows in which a sample has these segments, as often as it has them. */
function plainSum({ values, width }: SegmentStatistics, chosen: Iterable<number>): number[] {
  const sum = new Array<number>(width).fill(0);
  for (const segment of chosen) {
    for (let k = 0; k < width; k++) sum[k] = Math.fround(sum[k] + values[segment * width + k]);
  }
  return sum;
}

/** numpy's draws, sample by sample. */
function* plainSamples(kind: Sampling['kind'], size: number): Generator<number[]> {
  const generator = new NumpyGenerator(entropyOf(7));
  const chosen = new Uint32Array(size);
  let [word, left] = [0, 0];
  for (;;) {
    if (kind === 'resamples') {
      generator.choose(size, chosen);
      yield [...chosen];
      continue;
    }
    const moved: number[] = [];
    for (let segment = 0; segment < size; segment++) {
      if (left === 0) [word, left] = [generator.word(), 32];
      if ((word & 1) === 0) moved.push(segment);
      [word, left] = [word >>> 1, left - 1];
    }
    yield moved;
  }
}

for (const kind of ['resamples', 'trials'] as const) {
  describe(kind, () => {
    for (const [size, samples] of [
      [1, 40],
      [31, 70],
      [32, 33],
      [333, 1500],
    ]) {
      test(`${samples} of ${size} segments are those of numpy, summed`, () => {
        const tables = [statistics(size, 10), statistics(size, 3)];
        const made = sampling(kind, samples, tables);
        const sums = sumSamples(made.sampling);
        const drawn = plainSamples(kind, size);
        for (let sample = 0; sample < samples; sample++) {
          const chosen = drawn.next().value as number[];
          tables.forEach((table, j) => {
            const own = sums
              .subarray(sample * made.sampling.width)
              .subarray(made.offsets[j], made.offsets[j + 1]);
            assert.deepEqual([...own], plainSum(table, chosen), `sample ${sample}`);
          });
        }
      });
    }

    test('are the same from wherever they are drawn', () => {
      const { sampling: whole } = sampling(kind, 50, [statistics(333, 4)]);
      const all = sumSamples(whole);
      const [first, second] = [createSampler(whole), createSampler(whole)];
      let place = first.draw(17, 0);
      place = first.draw(20, place);
      second.draw(13, place);
      const sums = new (kind === 'resamples' ? Float32Array : Float64Array)(13 * 4);
      second.sum(sums);
      assert.deepEqual(sums, all.slice(37 * 4));
    });
  });
}
