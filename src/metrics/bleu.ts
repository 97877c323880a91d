import { UserError } from '../common/errors.js';
import {
  type BleuFormula,
  type BleuScore,
  bleuValue,
  computeBleu,
  SMOOTH_DEFAULTS,
  type SmoothMethod,
} from './bleu-score.js';
import { unknownChoice } from './choice.js';
import { formatFixed } from './decimal.js';
import { type CorpusFacts, Metric } from './metric.js';
import { NgramMatcher } from './ngram-matcher.js';
import { NgramOverlaps } from './ngram-overlaps.js';
import { matchNgrams } from './ngrams.js';
import { pairScores } from './pair-scores.js';
import { stripEnd } from './python-text.js';
import type { Rounding } from './rounding.js';
import { Signature } from './signature.js';
import {
  adviceOn,
  type CustomTokenizer,
  getTokenizer,
  type Tokenize,
  tokenizerForLanguage,
} from './tokenizers/tokenizer.js';
import { numberWords } from './word-numbers.js';

export interface BleuOptions {
  /** Compare in lower case. */
  lowercase?: boolean;
  /** Do not warn about text that looks tokenized. */
  force?: boolean;
  /** 13a, none, char, intl or zh, or one of your own; by default zh where `targetLang` is Chinese, else 13a. */
  tokenize?: string | CustomTokenizer;
  /** Default: exp. */
  smoothMethod?: SmoothMethod;
  /** For `floor` (default 0.1) and `add-k` (default 1). */
  smoothValue?: number;
  /** Longest n-grams counted; default 4. */
  maxNgramOrder?: number;
  /** Average over the orders that there are n-grams of; wanted for single sentences. */
  effectiveOrder?: boolean;
  /** Tag of the language of hypotheses and references (`zh`, `zh-Hans`, `zh_CN`, `cmn`); chooses the tokenizer where none is named. */
  targetLang?: string;
  /** Receives advice, such as that the text looks tokenized; by default nobody does. */
  onWarning?: (message: string) => void;
}

/** Full stops with a space before them that make a corpus look tokenized. */
const SUSPICIOUS_STOPS = 100;

/** BLEU, equal to sacreBLEU's. */
export class BLEU extends Metric<BleuScore> {
  readonly name = 'BLEU';
  readonly tokenizer: string;
  readonly lowercase: boolean;
  private readonly force: boolean;
  private readonly formula: BleuFormula;
  private readonly tokenize: Tokenize;
  private readonly matcher = new NgramMatcher();
  private readonly onWarning: (message: string) => void;

  /** @throws UserError for a tokenizer, method, value or order that does not exist */
  constructor(options: BleuOptions = {}) {
    super();
    this.lowercase = options.lowercase ?? false;
    this.force = options.force ?? false;
    this.onWarning = options.onWarning ?? (() => {});
    this.formula = checkFormula(options);
    const { targetLang, tokenize: asked = tokenizerForLanguage(targetLang) } = options;
    this.tokenizer = typeof asked === 'string' ? asked : asked.name;
    this.tokenize = typeof asked === 'string' ? getTokenizer(asked) : asked.tokenize;
    const advice = targetLang === undefined ? undefined : adviceOn(this.tokenizer, targetLang);
    if (advice !== undefined) this.onWarning(advice);
    if (options.smoothValue !== undefined && SMOOTH_DEFAULTS[this.formula.smoothMethod] === null) {
      this.onWarning(
        `smoothing by '${this.formula.smoothMethod}' takes no value; ${options.smoothValue} is ignored`,
      );
    }
  }

  /** Hypothesis length, reference length, matches of each order, n-grams of each order. */
  override extractStatistics(hypothesis: string, references: readonly string[]): number[] {
    const matches = matchNgrams(
      this.tokens(hypothesis),
      references.map((reference) => this.tokens(reference)),
      this.formula.maxNgramOrder,
      this.matcher,
    );
    return [matches.hypothesisLength, matches.referenceLength, ...matches.correct, ...matches.total];
  }

  override scoreStatistics(statistics: ArrayLike<number>): BleuScore {
    return computeBleu(statistics, this.formula);
  }

  override rawScore(statistics: ArrayLike<number>, round?: Rounding): number {
    return bleuValue(statistics, this.formula, round);
  }

  /** The scores of texts where each other one, and itself, is the reference: `[hypothesis][reference]`, as `scoreSegment` has them. */
  scorePairs(texts: readonly string[]): Float64Array[] {
    const { maxNgramOrder } = this.formula;
    const formula = { ...this.formula, effectiveOrder: true };
    const known = new Map<string, number>();
    const words = texts.map((text) => numberWords(this.tokens(text), known));
    const overlaps = new NgramOverlaps(words, maxNgramOrder);
    const lengths = words.map(({ length }) => length);
    return pairScores(
      texts.length,
      (a, b) => overlaps.shared(a, b),
      (hypothesis, reference, shared) => {
        const totals = shared.map((_, n) => Math.max(0, lengths[hypothesis] - n));
        return bleuValue([lengths[hypothesis], lengths[reference], ...shared, ...totals], formula);
      },
    );
  }

  /** With effective order, as sentence BLEU has it. */
  override scoreSegment(statistics: ArrayLike<number>): BleuScore {
    return computeBleu(statistics, { ...this.formula, effectiveOrder: true });
  }

  /** Never: its exponential is a double. */
  override isSingle(): boolean {
    return false;
  }

  override corpusScored(corpus: CorpusFacts): void {
    super.corpusScored(corpus);
    if (this.force || corpus.tokenizedStops < SUSPICIOUS_STOPS) return;
    this.onWarning(
      `${corpus.tokenizedStops} lines end in a tokenized period (' .'). It looks as if the hypotheses were not detokenized, ` +
        'which may hurt the score. If they are, or if that is meant, `force` silences this.',
    );
  }

  protected override buildSignature(referenceCount: number | 'var'): Signature {
    const { smoothMethod, smoothValue, effectiveOrder } = this.formula;
    const value = SMOOTH_DEFAULTS[smoothMethod] === null ? '' : `[${formatFixed(smoothValue, 2)}]`;
    return new Signature(referenceCount, [
      { key: 'case', short: 'c', value: this.lowercase ? 'lc' : 'mixed' },
      { key: 'eff', short: 'e', value: effectiveOrder ? 'yes' : 'no' },
      { key: 'tok', short: 'tok', value: this.tokenizer },
      { key: 'smooth', short: 's', value: `${smoothMethod}${value}` },
    ]);
  }

  /** The tokens that are counted. */
  tokens(text: string): string[] {
    return this.tokenize(stripEnd(this.lowercase ? text.toLowerCase() : text));
  }
}

function checkFormula(options: BleuOptions): BleuFormula {
  const { smoothMethod = 'exp', smoothValue, maxNgramOrder = 4, effectiveOrder = false } = options;
  if (!Object.hasOwn(SMOOTH_DEFAULTS, smoothMethod)) {
    throw unknownChoice('smooth-method', smoothMethod, Object.keys(SMOOTH_DEFAULTS));
  }
  if (smoothValue !== undefined && !(smoothValue >= 0 && smoothValue < Infinity)) {
    throw new UserError({
      problem: `expected a smoothing value of 0 or more, found ${smoothValue}`,
      where: 'smooth-value',
    });
  }
  if (!Number.isInteger(maxNgramOrder) || maxNgramOrder < 1) {
    throw new UserError({
      problem: `expected a largest n-gram order of 1 or more, found ${maxNgramOrder}`,
      where: 'max-ngram-order',
    });
  }
  return {
    smoothMethod,
    smoothValue: smoothValue ?? SMOOTH_DEFAULTS[smoothMethod] ?? 0,
    maxNgramOrder,
    effectiveOrder,
  };
}
