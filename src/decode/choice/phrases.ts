/** How many tokens of each phrase a hypothesis ends with, or all of them where it has had the phrase. */
export type Progress = readonly number[];

/** Phrases that a translation must have: how far it is with them, and what brings it further. */
export class Phrases {
  private readonly phrases: readonly (readonly number[])[];
  private readonly ordered: boolean;
  /** For each phrase and number of tokens of it, what is left of them where the next one is another. */
  private readonly fallbacks: readonly (readonly number[])[];
  /** Tokens of all phrases together. */
  readonly total: number;

  /** @param ordered whether they come in their order; else each of them anywhere, even within another */
  constructor(phrases: readonly (readonly number[])[], ordered = false) {
    const others = (phrase: readonly number[], i: number): boolean =>
      phrases.findIndex((other) => String(other) === String(phrase)) === i;
    this.phrases = ordered ? phrases : phrases.filter(others);
    this.ordered = ordered;
    this.fallbacks = this.phrases.map(fallbacksOf);
    this.total = this.phrases.reduce((sum, { length }) => sum + length, 0);
  }

  get start(): Progress {
    return this.phrases.map(() => 0);
  }

  /** How far a hypothesis is one token later. */
  advance(progress: Progress, token: number): Progress {
    const current = this.current(progress);
    return progress.map((held, i) => {
      const phrase = this.phrases[i];
      if (held === phrase.length || (this.ordered && i !== current)) return held;
      let length = held;
      while (length > 0 && phrase[length] !== token) length = this.fallbacks[i][length];
      return phrase[length] === token ? length + 1 : 0;
    });
  }

  /** How far a hypothesis of these tokens is. */
  after(tokens: readonly number[]): Progress {
    return tokens.reduce((progress, token) => this.advance(progress, token), this.start);
  }

  /** In how many further tokens all of them can be had: those of the missing ones, less what is begun of one. */
  need(progress: Progress): number {
    let [need, begun] = [0, 0];
    progress.forEach((held, i) => {
      const { length } = this.phrases[i];
      if (held === length) return;
      need += length;
      begun = Math.max(begun, held);
    });
    return need - begun;
  }

  /** The tokens that bring it further. */
  next(progress: Progress): number[] {
    const current = this.current(progress);
    const missing = this.phrases.flatMap((phrase, i) =>
      progress[i] === phrase.length || (this.ordered && i !== current) ? [] : [phrase[progress[i]]],
    );
    return [...new Set(missing)];
  }

  /** The places of those that are missing. */
  missing(progress: Progress): number[] {
    return [...progress.keys()].filter((i) => progress[i] < this.phrases[i].length);
  }

  /** The first that is missing. */
  private current(progress: Progress): number {
    return progress.findIndex((held, i) => held < this.phrases[i].length);
  }
}

/** Of each beginning of a phrase, the longest shorter one that it ends with (Knuth, Morris and Pratt). */
function fallbacksOf(phrase: readonly number[]): number[] {
  const fallbacks = [0, 0];
  for (let length = 2; length < phrase.length; length++) {
    let shorter = fallbacks[length - 1];
    while (shorter > 0 && phrase[shorter] !== phrase[length - 1]) shorter = fallbacks[shorter];
    fallbacks[length] = phrase[shorter] === phrase[length - 1] ? shorter + 1 : 0;
  }
  return fallbacks;
}
