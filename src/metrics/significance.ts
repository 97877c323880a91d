import { UserError } from '../common/errors.js';
import type { Metric } from './metric.js';
import { NumpyGenerator } from './numpy-random.js';
import { numpyMean, preciseMean } from './numpy-sum.js';
import { exact } from './rounding.js';
import type { SegmentStatistics } from './segment-statistics.js';

/** The seed of sacreBLEU where the user names none. */
export const DEFAULT_SEED = 12345;
/** Resamples, and trials, of sacreBLEU where the user names no number. */
export const DEFAULT_RESAMPLES = 1000;
export const DEFAULT_TRIALS = 10_000;

/** Mean of a score over resamples, and half the width of its central 95 %. */
export interface Confidence {
  mean: number;
  interval: number;
}

/** The score of a system, and how it compares with the baseline where it is not the baseline itself. */
export interface PairedResult {
  score: number;
  /** Two-sided: how probable a difference as large as this one is if both systems are alike. */
  pValue?: number;
  /** By bootstrap only. */
  confidence?: Confidence;
}

/** A metric with the statistics of a system's segments under it. */
export interface Measured {
  metric: Metric;
  segments: SegmentStatistics;
}

/**
 * Bootstrap confidence of a score (Koehn 2004): scores of resamples of the segments with replacement. The draws and roundings
 * are those of sacreBLEU under numpy 2 (`_bootstrap_resample` and `Score.estimate_ci`).
 *
 * @param seed null draws it from the system
 */
export function bootstrapConfidence(
  measured: Measured,
  resamples = DEFAULT_RESAMPLES,
  seed: number | null = DEFAULT_SEED,
): Confidence {
  const [{ scores, single }] = resample([measured], resamples, seed);
  const mean = preciseMean(scores);
  return { mean: single ? Math.fround(mean) : mean, interval: centralInterval(scores, single) };
}

/**
 * Paired bootstrap test (Koehn 2004, as in Moses' bootstrap-hypothesis-difference-significance.pl) of each system against
 * the first one: all are scored on the same resamples.
 *
 * @param systems for each system its metrics, in the same order, over the same segments
 */
export function pairedBootstrap(
  systems: readonly (readonly Measured[])[],
  resamples = DEFAULT_RESAMPLES,
  seed: number | null = DEFAULT_SEED,
): PairedResult[][] {
  checkSystems(systems);
  const all = resample(systems.flat(), resamples, seed);
  const [baseline] = systems;
  const real = systems.map((system) => system.map(scoreOf));
  return systems.map((system, i) =>
    system.map((_, m): PairedResult => {
      const { scores, single } = all[i * baseline.length + m];
      const confidence = {
        mean: numpyMean(scores.toSorted(), single), // of the sorted scores: the order rounds
        interval: centralInterval(scores, single),
      };
      if (i === 0) return { score: real[i][m], confidence };
      const bothSingle = single && all[m].single;
      const round = bothSingle ? Math.fround : exact;
      const differences = scores.map((score, j) => round(Math.abs(score - all[m].scores[j])));
      const centre = numpyMean(differences, bothSingle);
      const found = round(Math.abs(real[0][m] - real[i][m]));
      const exceeding = differences.filter((difference) => round(difference - centre) > found).length;
      return { score: real[i][m], confidence, pValue: (exceeding + 1) / (resamples + 1) };
    }),
  );
}

/**
 * Paired approximate randomization test (Riezler and Maxwell 2005, as in multeval) of each system against the first one: in
 * each trial a fair coin decides for each segment whether the two systems change sides. Trials whose difference equals the
 * one found do not count against it. sacreBLEU tells such ties apart by the rounding of its matrix product where
 * statistics are no whole numbers (lengths of TER with three references or more), so there its p-value depends on the machine.
 *
 * @param systems for each system its metrics, in the same order, over the same segments
 */
export function pairedRandomization(
  systems: readonly (readonly Measured[])[],
  trials = DEFAULT_TRIALS,
  seed: number | null = DEFAULT_SEED,
): PairedResult[][] {
  checkSystems(systems);
  const [baseline, ...others] = systems;
  const pairs = others.flatMap((system) => system.map((measured, m) => new Pair(baseline[m], measured)));
  const exceeding = countExceeding(pairs, trials, new NumpyGenerator(seed));
  return systems.map((system, i) =>
    system.map((measured, m): PairedResult => {
      const score = scoreOf(measured);
      if (i === 0) return { score };
      return { score, pValue: (exceeding[(i - 1) * baseline.length + m] + 1) / (trials + 1) };
    }),
  );
}

/** Two systems under one metric. */
class Pair {
  private readonly metric: Metric;
  private readonly sums: readonly [Float64Array, Float64Array];
  /** The sums of a trial. */
  private readonly changed: readonly [Float64Array, Float64Array];
  /** |difference| of the two scores. */
  private readonly found: number;
  /** Statistics of the first system less those of the second, segment by segment. */
  readonly differences: Float64Array;
  readonly width: number;

  constructor(a: Measured, b: Measured) {
    this.metric = a.metric;
    this.width = a.segments.width;
    this.sums = [a.segments.sum(), b.segments.sum()];
    this.changed = [new Float64Array(this.width), new Float64Array(this.width)];
    this.found = Math.abs(scoreOf(a) - scoreOf(b));
    const other = b.segments.values;
    this.differences = a.segments.values.map((value, i) => value - other[i]);
  }

  /** Whether the scores differ by more than they do in truth, when segments with these differences have changed sides. */
  exceeds(moved: Float64Array): boolean {
    const [a, b] = this.sums;
    const [first, second] = this.changed;
    for (let k = 0; k < a.length; k++) {
      first[k] = a[k] - moved[k];
      second[k] = b[k] + moved[k];
    }
    return Math.abs(this.metric.rawScore(first) - this.metric.rawScore(second)) > this.found;
  }
}

/** For each pair in how many trials it exceeds; all see the same coins. */
function countExceeding(pairs: readonly Pair[], trials: number, generator: NumpyGenerator): number[] {
  const { columns, width, offsets } = sideBySide(
    pairs.map(({ differences, width }) => ({ values: differences, width })),
  );
  const size = columns.length / width;
  const counts = pairs.map(() => 0);
  const moved = new Float64Array(width);
  let word = 0;
  let left = 0;
  for (let trial = 0; trial < trials; trial++) {
    moved.fill(0);
    for (let segment = 0; segment < size; ) {
      if (left === 0) [word, left] = [generator.word(), 32];
      const taken = Math.min(left, size - segment);
      // numpy keeps the segment of the first system where the coin is 1; it moves where it is 0.
      let zeros = ~word & (taken === 32 ? -1 : (1 << taken) - 1);
      for (; zeros !== 0; zeros &= zeros - 1) {
        const start = (segment + 31 - Math.clz32(zeros & -zeros)) * width;
        for (let k = 0; k < width; k++) moved[k] += columns[start + k];
      }
      word = taken === 32 ? 0 : word >>> taken;
      left -= taken;
      segment += taken;
    }
    pairs.forEach((pair, i) => {
      if (pair.exceeds(moved.subarray(offsets[i], offsets[i + 1]))) counts[i]++;
    });
  }
  return counts;
}

/** Scores of resamples, and whether numpy keeps them in single precision. */
interface Resampled {
  scores: Float64Array;
  single: boolean;
}

/**
 * Scores of resamples: the same ones for all. As numpy does it for sacreBLEU, statistics are single-precision numbers, and
 * so is every step of their sums.
 */
function resample(measured: readonly Measured[], resamples: number, seed: number | null): Resampled[] {
  const { columns, width, offsets } = sideBySide(measured.map(({ segments }) => segments));
  const single = Float32Array.from(columns);
  const size = single.length / width;
  const generator = new NumpyGenerator(seed);
  const chosen = new Uint32Array(size);
  const sums = new Float32Array(width);
  const scores = measured.map(() => new Float64Array(resamples));
  for (let resample = 0; resample < resamples; resample++) {
    generator.choose(size, chosen);
    sums.fill(0);
    for (let i = 0; i < size; i++) {
      const start = chosen[i] * width;
      for (let k = 0; k < width; k++) sums[k] += single[start + k];
    }
    measured.forEach(({ metric }, i) => {
      const own = sums.subarray(offsets[i], offsets[i + 1]);
      scores[i][resample] = metric.rawScore(own, Math.fround);
    });
  }
  return measured.map(({ metric }, i) => ({
    scores: scores[i],
    single: scores[i].every((score) => metric.isSingle(score)),
  }));
}

/** Tables of equally many rows as one: row i of all, one after another. Table j has columns offsets[j] … offsets[j + 1]. */
function sideBySide(tables: readonly { values: Float64Array; width: number }[]) {
  const offsets = [0];
  for (const { width } of tables) offsets.push(offsets[offsets.length - 1] + width);
  const width = offsets[tables.length];
  const rows = tables[0].values.length / tables[0].width;
  const columns = new Float64Array(rows * width);
  tables.forEach((table, j) => {
    for (let row = 0; row < rows; row++) {
      columns.set(
        table.values.subarray(row * table.width, (row + 1) * table.width),
        row * width + offsets[j],
      );
    }
  });
  return { columns, width, offsets };
}

function scoreOf({ metric, segments }: Measured): number {
  return metric.rawScore(segments.sum());
}

/** Half the distance between the ends of the central 95 % of the scores. */
function centralInterval(scores: Float64Array, single: boolean): number {
  const sorted = scores.toSorted();
  const outside = Math.floor(sorted.length / 40);
  const half = 0.5 * (sorted[sorted.length - outside - 1] - sorted[outside]);
  return single ? Math.fround(half) : half;
}

function checkSystems(systems: readonly (readonly Measured[])[]): void {
  if (systems.length < 2) {
    throw new UserError({
      problem: `expected at least two systems to compare, found ${systems.length}`,
      hint: 'The first system is the baseline; name at least one more.',
    });
  }
  const sizes = systems.flatMap((system) => system.map(({ segments }) => segments.size));
  if (new Set(sizes).size > 1) {
    throw new UserError({ problem: `expected systems of equally many segments, found ${sizes.join(', ')}` });
  }
}
