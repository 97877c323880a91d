import { UserError } from '../common/errors.js';
import { type ChrfFormula, type ChrfScore, chrfName, computeChrf } from './chrf-score.js';
import { Metric } from './metric.js';
import { NgramMatcher } from './ngram-matcher.js';
import { NgramOverlaps } from './ngram-overlaps.js';
import { pairScores } from './pair-scores.js';
import { splitWords } from './python-text.js';
import { exact, type Rounding } from './rounding.js';
import { Signature } from './signature.js';
import { numberWords } from './word-numbers.js';

export interface ChrfOptions {
  /** Longest character n-grams; default 6. */
  charOrder?: number;
  /** Longest word n-grams; default 0, and 2 makes chrF++. */
  wordOrder?: number;
  /** How many times more recall counts than precision; default 2. */
  beta?: number;
  /** Compare in lower case. */
  lowercase?: boolean;
  /** White space counts as characters. */
  whitespace?: boolean;
  /** Smooth by an epsilon, as chrF++.py, NLTK and Moses do, in place of averaging over the orders that there are n-grams of. */
  epsSmoothing?: boolean;
}

/** A segment as the two sequences whose n-grams are counted: code points, and numbers that stand for words. */
interface Symbols {
  characters: Int32Array;
  words: Int32Array;
}

const PUNCTUATION = new Set('!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~');

/** chrF and chrF++, equal to sacreBLEU's (its metrics/chrf.py). */
export class CHRF extends Metric<ChrfScore> {
  readonly name: string;
  readonly lowercase: boolean;
  readonly whitespace: boolean;
  private readonly formula: ChrfFormula;
  private readonly matcher = new NgramMatcher();

  /** @throws UserError for an order or a beta that is no whole number from 0 on, and when both orders are 0 */
  constructor(options: ChrfOptions = {}) {
    super();
    this.lowercase = options.lowercase ?? false;
    this.whitespace = options.whitespace ?? false;
    this.formula = checkFormula(options);
    this.name = chrfName(this.formula);
  }

  /** Of each order, characters before words: n-grams of the hypothesis, of the best reference, and matches. */
  override extractStatistics(hypothesis: string, references: readonly string[]): number[] {
    const wordNumbers = new Map<string, number>();
    const symbols = this.toSymbols(hypothesis, wordNumbers);
    let best: number[] = [];
    let bestScore = -1;
    for (const reference of references) {
      const statistics = this.compare(symbols, this.toSymbols(reference, wordNumbers));
      const score = computeChrf(statistics, this.formula);
      if (score > bestScore) {
        bestScore = score;
        best = statistics;
      }
    }
    return best;
  }

  override scoreStatistics(statistics: ArrayLike<number>): ChrfScore {
    const { charOrder, wordOrder, beta } = this.formula;
    return { name: this.name, score: this.rawScore(statistics), verbose: '', charOrder, wordOrder, beta };
  }

  override rawScore(statistics: ArrayLike<number>, round: Rounding = exact): number {
    return computeChrf(statistics, this.formula, round);
  }

  /** But for a 0, which is a constant there. */
  override isSingle(score: number): boolean {
    return score !== 0;
  }

  /** The scores of texts where each other one, and itself, is the reference: `[hypothesis][reference]`, as `sentenceScore` has them. */
  scorePairs(texts: readonly string[]): Float64Array[] {
    const { charOrder, wordOrder } = this.formula;
    const wordNumbers = new Map<string, number>();
    const symbols = texts.map((text) => this.toSymbols(text, wordNumbers));
    const [characters, words] = [symbols.map((own) => own.characters), symbols.map((own) => own.words)];
    const inCharacters = new NgramOverlaps(characters, charOrder);
    const inWords = new NgramOverlaps(words, wordOrder);
    return pairScores(
      texts.length,
      (a, b) => [inCharacters.shared(a, b), inWords.shared(a, b)],
      (hypothesis, reference, [sharedCharacters, sharedWords]) =>
        this.rawScore([
          ...withTotals(sharedCharacters, characters[hypothesis].length, characters[reference].length),
          ...withTotals(sharedWords, words[hypothesis].length, words[reference].length),
        ]),
    );
  }

  protected override buildSignature(referenceCount: number | 'var'): Signature {
    const { charOrder, wordOrder, epsSmoothing } = this.formula;
    return new Signature(referenceCount, [
      { key: 'case', short: 'c', value: this.lowercase ? 'lc' : 'mixed' },
      { key: 'eff', short: 'e', value: epsSmoothing ? 'no' : 'yes' },
      { key: 'nc', short: 'nc', value: String(charOrder) },
      { key: 'nw', short: 'nw', value: String(wordOrder) },
      { key: 'space', short: 's', value: this.whitespace ? 'yes' : 'no' },
    ]);
  }

  private toSymbols(text: string, wordNumbers: Map<string, number>): Symbols {
    const cased = this.lowercase ? text.toLowerCase() : text;
    const words = splitWords(cased);
    return {
      characters: codePoints(this.whitespace ? cased : words.join('')),
      words:
        this.formula.wordOrder === 0 ? NO_WORDS : numberWords(words.flatMap(splitPunctuation), wordNumbers),
    };
  }

  private compare(hypothesis: Symbols, reference: Symbols): number[] {
    const { charOrder, wordOrder } = this.formula;
    return [
      ...this.countOrders(hypothesis.characters, reference.characters, charOrder),
      ...this.countOrders(hypothesis.words, reference.words, wordOrder),
    ];
  }

  private countOrders(hypothesis: Int32Array, reference: Int32Array, maxOrder: number): number[] {
    const matches = this.matcher.match(hypothesis, [reference], maxOrder);
    return withTotals(matches, hypothesis.length, reference.length);
  }
}

/** Of each order: n-grams of the hypothesis, of the reference, and matches. @param hypothesis its length in symbols */
function withTotals(matches: readonly number[], hypothesis: number, reference: number): number[] {
  const statistics: number[] = [];
  for (let n = 0; n < matches.length; n++) {
    const referenceNgrams = Math.max(0, reference - n);
    // n-grams of an order that the reference has none of are not held against the hypothesis
    const hypothesisNgrams = referenceNgrams === 0 ? 0 : Math.max(0, hypothesis - n);
    statistics.push(hypothesisNgrams, referenceNgrams, matches[n]);
  }
  return statistics;
}

const NO_WORDS = new Int32Array(0);

/** Cuts a punctuation mark off the end of a word, or else off its start; never both (`(hi)` becomes `(hi` and `)`). */
function splitPunctuation(word: string): string[] {
  if (word.length === 1) return [word];
  if (PUNCTUATION.has(word[word.length - 1])) return [word.slice(0, -1), word[word.length - 1]];
  if (PUNCTUATION.has(word[0])) return [word[0], word.slice(1)];
  return [word];
}

function codePoints(text: string): Int32Array {
  const codes = new Int32Array(text.length);
  let count = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.codePointAt(i)!;
    if (code > 0xffff) i++;
    codes[count++] = code;
  }
  return codes.subarray(0, count);
}

function checkFormula(options: ChrfOptions): ChrfFormula {
  const { charOrder = 6, wordOrder = 0, beta = 2, epsSmoothing = false } = options;
  checkWhole('chrf-char-order', charOrder);
  checkWhole('chrf-word-order', wordOrder);
  checkWhole('chrf-beta', beta);
  if (charOrder + wordOrder === 0) {
    throw new UserError({
      problem: 'expected n-grams of characters or of words, found 0 as the largest order of both',
      where: 'chrf-char-order',
    });
  }
  return { charOrder, wordOrder, beta, epsSmoothing };
}

function checkWhole(where: string, value: number): void {
  if (Number.isInteger(value) && value >= 0) return;
  throw new UserError({ problem: `expected a whole number of 0 or more, found ${value}`, where });
}
