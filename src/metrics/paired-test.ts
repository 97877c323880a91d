import type { CorpusScorer, Metric, References, Score } from './metric.js';
import type { SumSamples } from './sampling.js';
import type { Signature } from './signature.js';
import {
  DEFAULT_RESAMPLES,
  DEFAULT_SEED,
  DEFAULT_TRIALS,
  type PairedResult,
  pairedBootstrap,
  pairedRandomization,
} from './significance.js';

export interface PairedTestOptions {
  /** `bs`: bootstrap resampling; `ar`: approximate randomization. */
  type: 'bs' | 'ar';
  /** Resamples (default 1000) or trials (default 10 000). */
  samples?: number;
  /** Default 12345; null takes entropy from the system. */
  seed?: number | null;
  /** Makes the sums over the resamples or trials: by default here, on this thread. */
  sum?: SumSamples;
}

/** One metric over all systems. */
export interface PairedMetric {
  /** Of the metric, as it is printed. */
  name: string;
  signature: Signature;
  /** For each system in its order; the first is the baseline. */
  results: PairedResult[];
}

/**
 * Whether systems differ from the first one by more than chance, under each metric.
 *
 * @param systems the hypotheses of each system
 * @param references one stream for each reference, as for `corpusScore`
 * @throws UserError for less than two systems and for streams of unequal length
 */
export function pairedTest(
  systems: readonly (readonly string[])[],
  metrics: readonly Metric[],
  references: readonly References[],
  options: PairedTestOptions,
): PairedMetric[] {
  const corpora = systems.map((hypotheses) =>
    metrics.map((metric) => metric.addAll(hypotheses, references, true)),
  );
  const [baseline] = systems;
  const sameText = systems.map((system) => system.every((line, i) => line === baseline[i]));
  return pairedTestOf(corpora, options, sameText);
}

/**
 * The same of corpora that keep their segments: for each system one for each metric.
 *
 * @param sameText for each system whether its text is that of the first one, which the statistics do not tell
 * @throws UserError
 */
export function pairedTestOf(
  corpora: readonly (readonly CorpusScorer<Score>[])[],
  { type, samples, seed = DEFAULT_SEED, sum }: PairedTestOptions,
  sameText: readonly boolean[] = [],
): PairedMetric[] {
  const count = samples ?? (type === 'bs' ? DEFAULT_RESAMPLES : DEFAULT_TRIALS);
  const measured = corpora.map((system) =>
    system.map(({ metric, segments }) => ({ metric, segments: segments! })),
  );
  const test = type === 'bs' ? pairedBootstrap : pairedRandomization;
  const results = test(measured, count, seed, sum);
  return corpora[0].map((corpus, m) => {
    corpus.tell({ [type]: count, seed });
    return {
      name: corpus.metric.scoreStatistics(corpus.statistics).name,
      signature: corpus.metric.getSignature(),
      results: results.map((system, i): PairedResult => {
        const own = system[m];
        return own.finding !== undefined && sameText[i] ? { ...own, finding: 'same text' } : own;
      }),
    };
  });
}
