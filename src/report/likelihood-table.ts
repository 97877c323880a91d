/** How probable a text is to a model. */
export interface Likelihood {
  /** What the weights are of. */
  checkpoint: string;
  sentences: number;
  /** Translations that are longer than the model can have; they count nowhere else. */
  tooLong: number;
  /** `</s>` included. */
  tokens: number;
  /** Parted by white space, with an end for each sentence. */
  words: number;
  /** Natural log-probability of all. */
  logProb: number;
}

/** What is told of it; losses are in bits a token, as those of a validation. */
export function likelihoodFigures({ checkpoint, sentences, tooLong, tokens, words, logProb }: Likelihood) {
  return {
    ...{ checkpoint, sentences, tokens, words, logProb },
    nll_loss: -logProb / tokens / Math.LN2,
    ppl: Math.exp(-logProb / tokens),
    word_ppl: Math.exp(-logProb / words),
    ...(tooLong > 0 ? { tooLong } : {}),
  };
}

type Figures = ReturnType<typeof likelihoodFigures>;

const COLUMNS: readonly [head: string, text: (figures: Figures) => string][] = [
  ['checkpoint', ({ checkpoint }) => checkpoint],
  ['sentences', ({ sentences }) => String(sentences)],
  ['tokens', ({ tokens }) => String(tokens)],
  ['log p', ({ logProb }) => logProb.toFixed(3)],
  ['nll_loss', ({ nll_loss }) => nll_loss.toFixed(4)],
  ['ppl', ({ ppl }) => ppl.toFixed(4)],
  ['word ppl', ({ word_ppl }) => word_ppl.toFixed(4)],
];

/** The same in a line of prose. */
export function tellLikelihood(likelihood: Likelihood): string {
  const { sentences, tokens, nll_loss, ppl, word_ppl } = likelihoodFigures(likelihood);
  return `Scored ${sentences} translations (${tokens} tokens): ${nll_loss.toFixed(4)} bits a token, perplexity ${ppl.toFixed(4)} a token, ${word_ppl.toFixed(4)} a word`;
}

/** Checkpoints as a table of text: a line for the heads, and one for each. */
export function formatLikelihoods(likelihoods: readonly Likelihood[]): string[] {
  const rows = likelihoods.map((entry) => COLUMNS.map(([, text]) => text(likelihoodFigures(entry))));
  const table = [COLUMNS.map(([head]) => head), ...rows];
  const widths = COLUMNS.map((_, i) => Math.max(...table.map((row) => row[i].length)));
  return table.map((row) =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  '),
  );
}
