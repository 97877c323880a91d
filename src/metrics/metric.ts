import { UserError } from '../common/errors.js';
import type { Signature } from './signature.js';

/** The result of a metric. */
export interface Score {
  /** Name of the metric, as it is printed. */
  readonly name: string;
  readonly score: number;
  /** What is printed after the score. */
  readonly verbose: string;
}

/** The references of one segment; null stands for a reference that this segment does not have. */
export type References = readonly (string | null)[];

/**
 * Rounds each result of an operation. Python's sacreBLEU keeps the statistics of resamples in single precision, and numpy 2
 * then computes in it; equal intervals need the same roundings (Math.fround), everything else none.
 */
export type Rounding = (value: number) => number;

export const exact: Rounding = (value) => value;

/** What is known of a corpus beside its statistics. */
export interface CorpusFacts {
  /** How many references each segment has, or 'var' where that differs. */
  referenceCount: number | 'var';
  /** Hypotheses that end in a full stop with a space before it, as tokenized text does. */
  tokenizedStops: number;
}

/**
 * A metric whose score of a corpus is a function of sums over its segments (BLEU, chrF and TER all are). The
 * vectors that are summed are kept apart from the formula, so that a corpus can be scored piece by piece and
 * resampled without looking at the text again.
 */
export abstract class Metric<S extends Score = Score> {
  abstract readonly name: string;
  private corpus: CorpusFacts | undefined;

  /** The additive statistics of one segment: as many numbers for every segment. */
  abstract extractStatistics(hypothesis: string, references: readonly string[]): number[];

  /** The score that belongs to a sum of statistics. @param round see Rounding; by default none */
  abstract scoreStatistics(statistics: ArrayLike<number>, round?: Rounding): S;

  /** Whether scores that are computed with Math.fround are single-precision numbers themselves. */
  abstract readonly singlePrecision: boolean;

  protected abstract buildSignature(referenceCount: number | 'var'): Signature;

  /** An empty corpus to add segments to. */
  startCorpus(): CorpusScorer<S> {
    return new CorpusScorer<S>(this);
  }

  /** Told by a CorpusScorer of what it scored; the next signature speaks of it. */
  corpusScored(corpus: CorpusFacts): void {
    this.corpus = corpus;
  }

  /**
   * Scores a corpus.
   *
   * @param hypotheses one string a segment
   * @param references one stream for each reference: `references[k][i]` is reference k of segment i, or null
   *   where segment i has no such reference
   * @throws UserError when a stream has another number of segments than the hypotheses, when there are no
   *   segments, or when a segment has no reference
   */
  corpusScore(hypotheses: readonly string[], references: readonly References[]): S {
    const uneven = references.findIndex((stream) => stream.length !== hypotheses.length);
    if (uneven >= 0) {
      throw new UserError({
        problem: `expected as many references as hypotheses, found ${hypotheses.length} hypotheses and ${references[uneven].length} references`,
        where: `references[${uneven}]`,
        hint: 'references[k][i] is reference k of segment i; put null where a segment has no such reference.',
      });
    }
    const corpus = this.startCorpus();
    for (const [i, hypothesis] of hypotheses.entries()) {
      corpus.add(
        hypothesis,
        references.map((stream) => stream[i]),
      );
    }
    return corpus.score();
  }

  /** Scores one segment against its references. @throws UserError when there is no reference */
  sentenceScore(hypothesis: string, references: References): S {
    const corpus = this.startCorpus();
    corpus.add(hypothesis, references);
    return corpus.score();
  }

  /** The signature of the last score. @throws UserError when nothing has been scored yet */
  getSignature(): Signature {
    if (this.corpus === undefined) {
      throw new UserError({
        problem: `the signature of ${this.name} tells the number of references, and nothing has been scored yet`,
        hint: 'Score something first.',
      });
    }
    return this.buildSignature(this.corpus.referenceCount);
  }
}

/** A corpus that is scored piece by piece: it keeps the sum of the statistics, not the text. */
export class CorpusScorer<S extends Score> {
  /** The sum of the statistics of the segments so far. */
  statistics: readonly number[] = [];
  /** Segments so far. */
  size = 0;
  private readonly metric: Metric<S>;
  private readonly referenceCounts = new Set<number>();
  private tokenizedStops = 0;

  constructor(metric: Metric<S>) {
    this.metric = metric;
  }

  /** Adds one segment and gives its own statistics. @throws UserError when it has no reference at all */
  add(hypothesis: string, references: References): number[] {
    const given = references.filter((reference) => reference !== null);
    if (given.length === 0) {
      throw new UserError({
        problem: `expected at least one reference, found none for segment ${this.size + 1}`,
        hint: 'Give every segment a reference; an empty one is an empty string, not null.',
      });
    }
    const own = this.metric.extractStatistics(hypothesis, given);
    this.statistics = this.size === 0 ? own : this.statistics.map((sum, i) => sum + own[i]);
    this.referenceCounts.add(given.length);
    if (hypothesis.endsWith(' .')) this.tokenizedStops++;
    this.size++;
    return own;
  }

  /** The score of the segments so far. @throws UserError when there are none */
  score(): S {
    if (this.size === 0) {
      throw new UserError({
        problem: 'expected at least one segment to score, found none',
        hint: 'Check that the hypotheses are not empty.',
      });
    }
    const [first] = this.referenceCounts;
    this.metric.corpusScored({
      referenceCount: this.referenceCounts.size === 1 ? first : 'var',
      tokenizedStops: this.tokenizedStops,
    });
    return this.metric.scoreStatistics(this.statistics);
  }
}
