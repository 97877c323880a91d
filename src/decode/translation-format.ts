import { type Alignment, pharaoh, roundedWeights } from './alignment/alignment.js';

/** One translation of a line. */
export interface TranslatedHypothesis {
  /** Detokenised text without line breaks. */
  text: string;
  /** Target tokens, `</s>` at the end. */
  tokens: string[];
  /** Natural log-probability of each token. */
  logProbs: number[];
  /** Σ log p. */
  total: number;
  /** Σ log p / length^lenpen. */
  score: number;
  /** How like it is to the other hypotheses, from 0 to 100; absent where they are not ranked by that. */
  utility?: number;
  /** Of the phrases that it must have, those that other rules have kept out of it; absent where there are no such phrases. */
  missing?: string[];
  /** What of it goes with what of the source, where that was asked for. */
  alignment?: Alignment;
}

/** A line of the input and what became of it. */
export interface Translation {
  /** Place of the line in the input, from 0. */
  index: number;
  source: string;
  /** Source tokens without `</s>`. */
  sourceTokens: string[];
  /** Best first, at least one; a blank line has one empty hypothesis without tokens. */
  hypotheses: TranslatedHypothesis[];
}

export const TRANSLATION_FORMATS = ['text', 'jsonl', 'fairseq', 'nbest'] as const;
export type TranslationFormat = (typeof TRANSLATION_FORMATS)[number];

/** What of an alignment is written: links, or how much attends to what. */
export type AlignmentKind = 'hard' | 'soft';

/** A translation as it is written, line ends included; docs/translate.md describes the formats. */
export function formatTranslation(
  translation: Translation,
  format: TranslationFormat,
  alignment: AlignmentKind | null = null,
): string {
  return FORMATTERS[format](translation, alignment);
}

type Formatter = (translation: Translation, alignment: AlignmentKind | null) => string;

const FORMATTERS: Record<TranslationFormat, Formatter> = {
  text: ({ hypotheses: [best] }, kind) => `${best.text}${behindMark(best, kind)}\n`,
  jsonl: formatJson,
  fairseq: formatFairseq,
  nbest: formatNbest,
};

/** An alignment in one line: `0-0 1-2`, or as Marian has it, the weights of a word parted by commas and words by spaces. */
function alignmentText({ alignment }: TranslatedHypothesis, kind: AlignmentKind): string {
  if (alignment === undefined) return '';
  if (kind === 'hard') return pharaoh(alignment);
  return roundedWeights(alignment)
    .map((row) => row.join(','))
    .join(' ');
}

/** The same behind what it belongs to, as Marian puts it. */
export const behindMark = (hypothesis: TranslatedHypothesis, kind: AlignmentKind | null): string =>
  kind === null ? '' : ` ||| ${alignmentText(hypothesis, kind)}`;

/** The same as jsonl has it. */
export function alignmentJson(
  alignment: Alignment | undefined,
  kind: AlignmentKind | null,
): object | undefined {
  if (kind === null) return undefined;
  const { source, target, links } = alignment ?? { source: [], target: [], links: [] };
  if (kind === 'hard') return { source, target, links };
  return { source, target, links, weights: alignment === undefined ? [] : roundedWeights(alignment) };
}

function formatJson({ index, source, hypotheses }: Translation, kind: AlignmentKind | null): string {
  const written = {
    line: index + 1,
    source,
    hypotheses: hypotheses.map(({ text, score, utility, tokens, logProbs, missing, alignment }) => ({
      text,
      score: rounded(score),
      utility: utility && rounded(utility),
      tokens,
      tokenLogProbs: logProbs.map(rounded),
      missing,
      alignment: alignmentJson(alignment, kind),
    })),
  };
  return `${JSON.stringify(written)}\n`;
}

/** Six decimals: what the single precision of the model carries. */
export function rounded(value: number): number {
  return Math.round(value * 1e6) / 1e6;
}

/** The same as text. */
export const shown = (value: number): string =>
  value === Number.NEGATIVE_INFINITY ? '-inf' : String(rounded(value));

/** A score as fairseq writes it: in base 2, as Python prints it, where a whole number keeps its `.0`. */
export function fairseqScore(score: number): string {
  const base2 = Math.fround(score / Math.LN2);
  if (base2 === Number.NEGATIVE_INFINITY) return '-inf';
  return Number.isInteger(base2) ? base2.toFixed(1) : String(base2);
}

export const fairseqTokenScores = (logProbs: readonly number[]): string =>
  logProbs.map((value) => (value / Math.LN2).toFixed(4)).join(' ');

/** The lines of fairseq-generate, whose scores are in base 2. */
function formatFairseq({ index, sourceTokens, hypotheses }: Translation, kind: AlignmentKind | null): string {
  const lines = [`S-${index}\t${sourceTokens.join(' ')}`];
  for (const hypothesis of hypotheses) {
    const { text, score, tokens, logProbs } = hypothesis;
    const base2 = fairseqScore(score);
    lines.push(
      `H-${index}\t${base2}\t${tokens.slice(0, -1).join(' ')}`,
      `D-${index}\t${base2}\t${text}`,
      `P-${index}\t${fairseqTokenScores(logProbs)}`,
      ...(kind === null ? [] : [`A-${index}\t${alignmentText(hypothesis, kind)}`]),
    );
  }
  return `${lines.join('\n')}\n`;
}

/**
 * Marian's n-best list: `LINE ||| hypothesis ||| F0=Σ log p ||| score`, the alignment behind the hypothesis, and the
 * utility as a further feature.
 */
function formatNbest({ index, hypotheses }: Translation, kind: AlignmentKind | null): string {
  return hypotheses
    .map((hypothesis) => {
      const { text, total, score, utility } = hypothesis;
      const features = [
        `F0=${rounded(total)}`,
        ...(utility === undefined ? [] : [`Utility=${rounded(utility)}`]),
      ];
      return `${index} ||| ${text}${behindMark(hypothesis, kind)} ||| ${features.join(' ')} ||| ${rounded(score)}\n`;
    })
    .join('');
}
