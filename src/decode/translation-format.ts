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

/** A translation as it is written, line ends included; docs/translate.md describes the formats. */
export function formatTranslation(translation: Translation, format: TranslationFormat): string {
  return FORMATTERS[format](translation);
}

const FORMATTERS: Record<TranslationFormat, (translation: Translation) => string> = {
  text: ({ hypotheses }) => `${hypotheses[0].text}\n`,
  jsonl: formatJson,
  fairseq: formatFairseq,
  nbest: formatNbest,
};

function formatJson({ index, source, hypotheses }: Translation): string {
  const written = {
    line: index + 1,
    source,
    hypotheses: hypotheses.map(({ text, score, utility, tokens, logProbs, missing }) => ({
      text,
      score: rounded(score),
      utility: utility && rounded(utility),
      tokens,
      tokenLogProbs: logProbs.map(rounded),
      missing,
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
function formatFairseq({ index, sourceTokens, hypotheses }: Translation): string {
  const lines = [`S-${index}\t${sourceTokens.join(' ')}`];
  for (const { text, score, tokens, logProbs } of hypotheses) {
    const base2 = fairseqScore(score);
    lines.push(
      `H-${index}\t${base2}\t${tokens.slice(0, -1).join(' ')}`,
      `D-${index}\t${base2}\t${text}`,
      `P-${index}\t${fairseqTokenScores(logProbs)}`,
    );
  }
  return `${lines.join('\n')}\n`;
}

/** Marian's n-best list: `LINE ||| hypothesis ||| F0=Σ log p ||| score`, and the utility as a further feature. */
function formatNbest({ index, hypotheses }: Translation): string {
  return hypotheses
    .map(({ text, total, score, utility }) => {
      const features = [
        `F0=${rounded(total)}`,
        ...(utility === undefined ? [] : [`Utility=${rounded(utility)}`]),
      ];
      return `${index} ||| ${text} ||| ${features.join(' ')} ||| ${rounded(score)}\n`;
    })
    .join('');
}
