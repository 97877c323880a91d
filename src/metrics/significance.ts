import { UserError } from '../common/errors.js';
import { type Finding, findingOf } from './finding.js';
import { entropyOf } from './numpy-random.js';
import { numpyMean, preciseMean } from './numpy-sum.js';
import { exact, type Rounding } from './rounding.js';
import { layOut, type SumSamples, sumSamples } from './sampling.js';
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
  /** Two-sided, as sacreBLEU counts: how probable a larger difference than this one is if both systems are alike. */
  pValue?: number;
  /** What that means; see findingOf. */
  finding?: Finding;
  /** By bootstrap only. */
  confidence?: Confidence;
}

/** What of a metric these tests need: its numbers from sums of statistics. */
export interface ResampledMetric {
  rawScore(statistics: ArrayLike<number>, round?: Rounding): number;
  isSingle(score: number): boolean;
}

/** A metric with the statistics of a system's segments under it. */
export interface Measured {
  metric: ResampledMetric;
  segments: SegmentStatistics;
}

/**
 * Bootstrap confidence of a score (Koehn 2004): scores of resamples of the segments with replacement. The draws and roundings
 * are those of sacreBLEU under numpy 2 (`_bootstrap_resample` and `Score.estimate_ci`).
 *
 * @param seed null draws it from the system
 * @param sum makes the sums over the resamples: by default here
 */
export function bootstrapConfidence(
  measured: Measured,
  resamples = DEFAULT_RESAMPLES,
  seed: number | null = DEFAULT_SEED,
  sum: SumSamples = sumSamples,
): Confidence {
  const [{ scores, single }] = resample([measured], resamples, seed, sum);
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
  sum: SumSamples = sumSamples,
): PairedResult[][] {
  checkSystems(systems);
  const all = resample(systems.flat(), resamples, seed, sum);
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
      const counts: Exceeding = { larger: 0, equal: 0 };
      for (const difference of differences) count(counts, round(difference - centre), found);
      const segments = [baseline[m].segments, system[m].segments] as const;
      return { score: real[i][m], confidence, ...judge(counts, resamples, segments) };
    }),
  );
}

/**
 * Paired approximate randomization test (Riezler and Maxwell 2005, as in multeval) of each system against the first one: in
 * each trial a fair coin decides for each segment whether the two systems change sides. Trials whose difference equals the
 * one found do not count in p, as in sacreBLEU, but in the finding. sacreBLEU tells such ties apart by the rounding of its matrix product where
 * statistics are no whole numbers (lengths of TER with three references or more), so there its p-value depends on the machine.
 *
 * @param systems for each system its metrics, in the same order, over the same segments
 */
export function pairedRandomization(
  systems: readonly (readonly Measured[])[],
  trials = DEFAULT_TRIALS,
  seed: number | null = DEFAULT_SEED,
  sum: SumSamples = sumSamples,
): PairedResult[][] {
  checkSystems(systems);
  const [baseline, ...others] = systems;
  const pairs = others.flatMap((system) => system.map((measured, m) => new Pair(baseline[m], measured)));
  const exceeding = countExceeding(pairs, trials, seed, sum);
  return systems.map((system, i) =>
    system.map((measured, m): PairedResult => {
      const score = scoreOf(measured);
      if (i === 0) return { score };
      const pair = (i - 1) * baseline.length + m;
      return { score, ...judge(exceeding[pair], trials, pairs[pair].segments) };
    }),
  );
}

/** Trials whose difference is larger than the one found, and those where it is the same. */
interface Exceeding {
  larger: number;
  equal: number;
}

/** A difference that is smaller by so small a part is the same: sums in another order round otherwise. */
const ROUNDING = 1e-9;

function count(counts: Exceeding, difference: number, found: number): void {
  if (difference > found) counts.larger++;
  else if (difference >= found - ROUNDING * found) counts.equal++;
}

function judge(
  { larger, equal }: Exceeding,
  trials: number,
  [a, b]: readonly [SegmentStatistics, SegmentStatistics],
): Required<Pick<PairedResult, 'pValue' | 'finding'>> {
  const pValue = (larger + 1) / (trials + 1);
  const pWithTies = (larger + equal + 1) / (trials + 1);
  return { pValue, finding: findingOf({ pValue, pWithTies, differing: a.countDiffering(b) }) };
}

/** Two systems under one metric. */
class Pair {
  private readonly metric: ResampledMetric;
  private readonly sums: readonly [Float64Array, Float64Array];
  /** The sums of a trial. */
  private readonly changed: readonly [Float64Array, Float64Array];
  /** |difference| of the two scores. */
  private readonly found: number;
  readonly segments: readonly [SegmentStatistics, SegmentStatistics];

  constructor(a: Measured, b: Measured) {
    this.metric = a.metric;
    this.segments = [a.segments, b.segments];
    this.sums = [a.segments.sum(), b.segments.sum()];
    this.changed = [new Float64Array(a.segments.width), new Float64Array(b.segments.width)];
    this.found = Math.abs(scoreOf(a) - scoreOf(b));
  }

  /** Counts how the scores differ when segments whose differences sum to this have changed sides. */
  count(moved: ArrayLike<number>, counts: Exceeding): void {
    const [a, b] = this.sums;
    const [first, second] = this.changed;
    for (let k = 0; k < a.length; k++) {
      first[k] = a[k] - moved[k];
      second[k] = b[k] + moved[k];
    }
    count(counts, Math.abs(this.metric.rawScore(first) - this.metric.rawScore(second)), this.found);
  }
}

/** For each pair in how many trials it differs as much as in truth; all see the same coins. */
function countExceeding(
  pairs: readonly Pair[],
  trials: number,
  seed: number | null,
  sum: SumSamples,
): Exceeding[] {
  const [{ table, width, offsets }, { table: others }] = [0, 1].map((side) =>
    layOut(
      'trials',
      pairs.map(({ segments }) => segments[side]),
    ),
  );
  for (let i = 0; i < table.length; i++) table[i] -= others[i];
  const sums = sum({ kind: 'trials', samples: trials, table, width, entropy: entropyOf(seed) });
  const counts = pairs.map((): Exceeding => ({ larger: 0, equal: 0 }));
  for (let start = 0; start < sums.length; start += width) {
    pairs.forEach((pair, i) => {
      pair.count(sums.subarray(start + offsets[i], start + offsets[i + 1]), counts[i]);
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
function resample(
  measured: readonly Measured[],
  resamples: number,
  seed: number | null,
  sum: SumSamples,
): Resampled[] {
  const { table, width, offsets } = layOut(
    'resamples',
    measured.map(({ segments }) => segments),
  );
  const sums = sum({ kind: 'resamples', samples: resamples, table, width, entropy: entropyOf(seed) });
  return measured.map(({ metric }, i) => {
    const scores = Float64Array.from({ length: resamples }, (_, resample) => {
      const start = resample * width;
      return metric.rawScore(sums.subarray(start + offsets[i], start + offsets[i + 1]), Math.fround);
    });
    return { scores, single: scores.every((score) => metric.isSingle(score)) };
  });
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
