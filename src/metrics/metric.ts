import { UserError } from '../common/errors.js';
import type { Rounding } from './rounding.js';
import type { SumSamples } from './sampling.js';
import { SegmentStatistics } from './segment-statistics.js';
import type { Resampling, Signature } from './signature.js';
import { bootstrapConfidence, type Confidence, DEFAULT_RESAMPLES, DEFAULT_SEED } from './significance.js';

/** The result of a metric. */
export interface Score {
  /** Name of the metric, as it is printed. */
  readonly name: string;
  readonly score: number;
  /** What is printed after the score. */
  readonly verbose: string;
  /** Where it was asked for. */
  readonly confidence?: Confidence;
}

/** How to estimate the confidence of a score. */
export interface BootstrapOptions {
  /** Resamples; default 1000. */
  resamples?: number;
  /** Default 12345; null takes entropy from the system. */
  seed?: number | null;
  /** Makes the sums over the resamples: by default here, on this thread. */
  sum?: SumSamples;
}

/** The references of one segment; null stands for a reference that this segment does not have. */
export type References = readonly (string | null)[];

/** What is known of a corpus beside its statistics. */
export interface CorpusFacts {
  /** How many references each segment has, or 'var' where that differs. */
  referenceCount: number | 'var';
  /** Hypotheses that end in a full stop with a space before it, as tokenized text does. */
  tokenizedStops: number;
  /** What random draws its figures rest on. */
  resampling?: Resampling;
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

  /** The score that belongs to a sum of statistics. */
  abstract scoreStatistics(statistics: ArrayLike<number>): S;

  /** The number alone of the same. @param round see Rounding; by default none */
  abstract rawScore(statistics: ArrayLike<number>, round?: Rounding): number;

  /** The score of one segment's statistics. */
  scoreSegment(statistics: ArrayLike<number>): S {
    return this.scoreStatistics(statistics);
  }

  /** Whether a score that was computed with Math.fround is a single-precision number in sacreBLEU under numpy 2. */
  abstract isSingle(score: number): boolean;

  protected abstract buildSignature(referenceCount: number | 'var'): Signature;

  /** An empty corpus to add segments to. @param keepSegments for confidence and paired tests */
  startCorpus({ keepSegments = false } = {}): CorpusScorer<S> {
    return new CorpusScorer<S>(this, keepSegments);
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
   * @param bootstrap asks for the confidence of the score
   * @throws UserError when a stream has another number of segments than the hypotheses, when there are no
   *   segments, or when a segment has no reference
   */
  corpusScore(
    hypotheses: readonly string[],
    references: readonly References[],
    bootstrap?: BootstrapOptions,
  ): S {
    const corpus = this.addAll(hypotheses, references, bootstrap !== undefined);
    return corpus.score(bootstrap);
  }

  /** A corpus of these segments. @throws UserError as corpusScore */
  addAll(
    hypotheses: readonly string[],
    references: readonly References[],
    keepSegments: boolean,
  ): CorpusScorer<S> {
    const uneven = references.findIndex((stream) => stream.length !== hypotheses.length);
    if (uneven >= 0) {
      throw new UserError({
        problem: `expected as many references as hypotheses, found ${hypotheses.length} hypotheses and ${references[uneven].length} references`,
        where: `references[${uneven}]`,
        hint: 'references[k][i] is reference k of segment i; put null where a segment has no such reference.',
      });
    }
    const corpus = this.startCorpus({ keepSegments });
    for (const [i, hypothesis] of hypotheses.entries()) {
      corpus.add(
        hypothesis,
        references.map((stream) => stream[i]),
      );
    }
    return corpus;
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
    const { referenceCount, resampling } = this.corpus;
    const signature = this.buildSignature(referenceCount);
    return resampling === undefined ? signature : signature.withResampling(resampling);
  }
}

/** A corpus that is scored piece by piece: it keeps the statistics, not the text. */
export class CorpusScorer<S extends Score> {
  /** Segments so far. */
  size = 0;
  /** The statistics of each segment, where they were to be kept. */
  readonly segments: SegmentStatistics | undefined;
  private sum: number[] = [];
  readonly metric: Metric<S>;
  private readonly referenceCounts = new Set<number>();
  private tokenizedStops = 0;

  constructor(metric: Metric<S>, keepSegments: boolean) {
    this.metric = metric;
    this.segments = keepSegments ? new SegmentStatistics() : undefined;
  }

  /** The sum of the statistics of the segments so far. */
  get statistics(): readonly number[] {
    return this.sum;
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
    this.segments?.add(own);
    if (this.size === 0) this.sum = [...own];
    else for (let i = 0; i < own.length; i++) this.sum[i] += own[i];
    this.referenceCounts.add(given.length);
    if (hypothesis.endsWith(' .')) this.tokenizedStops++;
    this.size++;
    return own;
  }

  /**
   * The score of the segments so far.
   *
   * @param bootstrap asks for its confidence; for a corpus that keeps its segments
   * @throws UserError when there are none
   */
  score(bootstrap?: BootstrapOptions): S {
    this.tell();
    const score = this.metric.scoreStatistics(this.sum);
    if (bootstrap === undefined) return score;
    const { resamples = DEFAULT_RESAMPLES, seed = DEFAULT_SEED, sum } = bootstrap;
    const measured = { metric: this.metric, segments: this.segments! };
    const confidence = bootstrapConfidence(measured, resamples, seed, sum);
    this.tell({ bs: resamples, seed });
    return Object.defineProperty(score, 'confidence', { value: confidence, enumerable: true });
  }

  /** Tells the metric what it has scored. @param resampling what random draws the figures rest on */
  tell(resampling?: Resampling): void {
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
      resampling,
    });
  }
}
