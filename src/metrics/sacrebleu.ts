/**
 * `admin-nmt/sacrebleu`: the scores of sacreBLEU for programs. Strings in, numbers out; nothing here reads a
 * file or needs Node.
 */
import { BLEU, type BleuOptions } from './bleu.js';
import type { BleuScore } from './bleu-score.js';
import { CHRF, type ChrfOptions } from './chrf.js';
import type { ChrfScore } from './chrf-score.js';
import type { References } from './metric.js';
import { TER, type TerOptions, type TerScore } from './ter.js';

export { BLEU, type BleuOptions } from './bleu.js';
export { type BleuScore, SMOOTH_DEFAULTS, type SmoothMethod } from './bleu-score.js';
export { CHRF, type ChrfOptions } from './chrf.js';
export type { ChrfScore } from './chrf-score.js';
export type { Finding } from './finding.js';
export { type FormatOptions, formatScore, formatScores } from './format.js';
export {
  type BootstrapOptions,
  type CorpusFacts,
  CorpusScorer,
  Metric,
  type References,
  type Score,
} from './metric.js';
export { type PairedMetric, type PairedTestOptions, pairedTest, pairedTestOf } from './paired-test.js';
export { type Sampling, type SumSamples, type Sums, sumSamples } from './sampling.js';
export { SegmentStatistics } from './segment-statistics.js';
export { type Resampling, Signature, type SignatureEntry } from './signature.js';
export { bootstrapConfidence, type Confidence, type PairedResult } from './significance.js';
export { TER, type TerOptions, type TerScore } from './ter.js';
export {
  type CustomTokenizer,
  getTokenizer,
  TOKENIZER_NAMES,
  type Tokenize,
  type TokenizerName,
} from './tokenizers/tokenizer.js';
export { SACREBLEU_VERSION, VERSION } from './version.js';

/**
 * BLEU of a corpus.
 *
 * @param references `references[k][i]` is reference k of segment i, or null where segment i has no such one
 */
export function corpusBleu(
  hypotheses: readonly string[],
  references: readonly References[],
  options: BleuOptions = {},
): BleuScore {
  return new BLEU(options).corpusScore(hypotheses, references);
}

/** BLEU of one sentence; with effective order unless the options say otherwise. */
export function sentenceBleu(
  hypothesis: string,
  references: References,
  options: BleuOptions = {},
): BleuScore {
  return new BLEU({ effectiveOrder: true, ...options }).sentenceScore(hypothesis, references);
}

/** chrF of a corpus, or chrF++ with a word order of 2. @param references see corpusBleu */
export function corpusChrf(
  hypotheses: readonly string[],
  references: readonly References[],
  options: ChrfOptions = {},
): ChrfScore {
  return new CHRF(options).corpusScore(hypotheses, references);
}

/** chrF of one sentence, or chrF++ with a word order of 2. */
export function sentenceChrf(
  hypothesis: string,
  references: References,
  options: ChrfOptions = {},
): ChrfScore {
  return new CHRF(options).sentenceScore(hypothesis, references);
}

/** TER of a corpus. @param references see corpusBleu */
export function corpusTer(
  hypotheses: readonly string[],
  references: readonly References[],
  options: TerOptions = {},
): TerScore {
  return new TER(options).corpusScore(hypotheses, references);
}

/** TER of one sentence. */
export function sentenceTer(hypothesis: string, references: References, options: TerOptions = {}): TerScore {
  return new TER(options).sentenceScore(hypothesis, references);
}
