/** A token of a translation and what it matches: what `markDifferences` of src/metrics/ngram-marks gives. */
export interface ComparedToken {
  readonly text: string;
  /** Order of the longest matched n-gram around the token; 0 for none. */
  readonly order: number;
  /** Order of the longest n-gram around it that is matched by this system only; 0 for none. */
  readonly only: number;
  /** The token itself is matched by this system only. */
  readonly alone: boolean;
}

/** One system's translation of one segment. */
export interface ComparedTranslation {
  /** The line as the system wrote it. */
  readonly text: string;
  /** The same line as it was scored. */
  readonly tokens: readonly ComparedToken[];
  readonly score: number;
}

export interface ComparedSegment {
  /** Number of the line, from 1. */
  readonly line: number;
  /** What was translated, where it is known. */
  readonly source?: string;
  readonly references: readonly string[];
  readonly a: ComparedTranslation;
  readonly b: ComparedTranslation;
}

/**
 * Neighbouring tokens of equal marks: text, order, `only`, and 1 for `alone`; zeros at the end are left out. A
 * space before the first token is part of the text, so that the runs joined are the line.
 */
export type Run = [text: string, order?: number, only?: number, alone?: number];

/** What the page holds of a translation. */
export interface PageTranslation {
  readonly score: number;
  readonly runs: readonly Run[];
}

/** What the page holds of a segment. */
export interface PageSegment {
  readonly line: number;
  readonly source?: string;
  readonly references: readonly string[];
  readonly a: PageTranslation;
  readonly b: PageTranslation;
}

/** A segment as the page holds it. */
export function packSegment({ line, source, references, a, b }: ComparedSegment): PageSegment {
  return {
    line,
    ...(source === undefined ? {} : { source }),
    references,
    a: { score: a.score, runs: joinRuns(a) },
    b: { score: b.score, runs: joinRuns(b) },
  };
}

function joinRuns({ text, tokens }: ComparedTranslation): Run[] {
  const runs: Run[] = [];
  let last: ComparedToken | undefined;
  for (const [i, piece] of spellOut(text, tokens).entries()) {
    const { order, only, alone } = tokens[i];
    if (last?.order === order && last.only === only && last.alone === alone) {
      runs[runs.length - 1][0] += piece;
    } else {
      const run: Run = [piece, order, only, Number(alone)];
      while (run.at(-1) === 0) run.pop();
      runs.push(run);
    }
    last = tokens[i];
  }
  return runs;
}

/** How far a token may stand from where it is looked for: farther than any character reference (`&quot;`) is long. */
const LOOK_AHEAD = 16;

/**
 * Each token as it stands in the line: in the line's own case, with a space before it where the line has white
 * space there. A token that the tokenizer has made of something else is shown as it is.
 */
export function spellOut(line: string, tokens: readonly { readonly text: string }[]): string[] {
  const lower = line.toLowerCase();
  const sought = lower.length === line.length ? lower : line;
  let end = 0;
  let lost = false;
  return tokens.map(({ text }, i) => {
    const from = skipSpaces(line, end);
    const spaced = i > 0 && from > end;
    const distance = sought
      .slice(from, from + text.length + LOOK_AHEAD)
      .indexOf(sought === lower ? text.toLowerCase() : text);
    if (distance < 0) {
      const apart = spaced || (i > 0 && lost);
      lost = true;
      end = from;
      return (apart ? ' ' : '') + text;
    }
    const start = from + distance;
    const apart = spaced || (i > 0 && /\s/.test(line.slice(from, start)));
    lost = false;
    end = start + text.length;
    return (apart ? ' ' : '') + line.slice(start, end);
  });
}

function skipSpaces(line: string, start: number): number {
  let end = start;
  while (end < line.length && /\s/.test(line[end])) end++;
  return end;
}
