import { UserError } from '../common/errors.js';
import {
  BLEU,
  type BleuOptions,
  CHRF,
  type ChrfOptions,
  TER,
  type TerOptions,
} from '../metrics/sacrebleu.js';

export interface ScoringOptions {
  /** What to compute (default: bleu). */
  metrics?: readonly ('bleu' | 'chrf' | 'ter')[];
  bleu?: BleuOptions;
  chrf?: ChrfOptions;
  ter?: TerOptions;
}

/** A score of a corpus. */
export interface ScoreOfCorpus {
  /** `BLEU`, `chrF2++`, `TER`, … */
  name: string;
  score: number;
  /** What was computed, to be named with the score. */
  signature: string;
}

/**
 * Scores a corpus as sacreBLEU does. `admin-nmt/sacrebleu` has all of its parts: tests of significance, single
 * sentences, tokenizers.
 *
 * @param hypotheses the translations
 * @param references of each of them one, or several as `references[k][i]`, reference k of sentence i
 * @throws UserError where the numbers of lines differ
 */
export function score(
  hypotheses: readonly string[],
  references: readonly string[] | readonly (readonly string[])[],
  { metrics = ['bleu'], bleu, chrf, ter }: ScoringOptions = {},
): ScoreOfCorpus[] {
  const sets = (typeof references[0] === 'string' ? [references] : references) as readonly string[][];
  const make = { bleu: () => new BLEU(bleu), chrf: () => new CHRF(chrf), ter: () => new TER(ter) };
  return metrics.map((name) => {
    if (!Object.hasOwn(make, name)) {
      throw new UserError({
        problem: `expected some of ${Object.keys(make).join(', ')}, found '${name}'`,
        where: 'metrics',
      });
    }
    const metric = make[name]();
    const found = metric.corpusScore(hypotheses, sets);
    return { name: found.name, score: found.score, signature: metric.getSignature().format() };
  });
}
