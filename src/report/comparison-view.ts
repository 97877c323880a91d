/**
 * What the comparison page shows, in which order. These functions run in the page as well: their source text is
 * its script, so each uses nothing but its arguments and the others of this file.
 */
import type { PageSegment, PageTranslation } from './comparison-segments.js';

/** What segments are sorted by. */
export type SortKey = 'magnitude' | 'advantage' | 'a' | 'b' | 'line' | 'length';

/** A's advantages times `side` that are above `low` and at most `high`; side 0 is no advantage at all. */
export interface Range {
  readonly side: number;
  readonly low: number;
  readonly high: number;
}

/** What a reader chose to see. */
export interface View {
  readonly sort: SortKey;
  readonly descending: boolean;
  /** Text to look for, or `#` and the number of a line. */
  readonly query: string;
  /** Only segments whose translations differ. */
  readonly differing: boolean;
  readonly range?: Range;
}

/** A segment with what is looked at again and again. */
export interface ListedSegment extends PageSegment {
  readonly advantage: number;
  /** All its text in lower case. */
  readonly searched: string;
  readonly differs: boolean;
}

/** By how much A's score is better than B's; negative where B's is better. */
export function advantageOf(a: number, b: number, lowerIsBetter: boolean): number {
  return lowerIsBetter ? b - a : a - b;
}

/** Whether an advantage of A lies in a range. */
export function inRange(advantage: number, { side, low, high }: Range): boolean {
  if (side === 0) return advantage === 0;
  return advantage * side > low && advantage * side <= high;
}

/** The text of a translation. */
export function textOf(translation: PageTranslation): string {
  return translation.runs.map(([text]) => text).join('');
}

/** Adds to a segment what is derived from it. */
export function listSegment(segment: PageSegment, lowerIsBetter: boolean): ListedSegment {
  const { source, references, a, b } = segment;
  const [textA, textB] = [textOf(a), textOf(b)];
  return {
    ...segment,
    advantage: advantageOf(a.score, b.score, lowerIsBetter),
    searched: [source ?? '', ...references, textA, textB].join('\n').toLowerCase(),
    differs: textA !== textB,
  };
}

/** The segments that a reader chose to see, in the order chosen; equals by line. */
export function arrange(segments: readonly ListedSegment[], view: View): ListedSegment[] {
  const query = view.query.trim().toLowerCase();
  const line = /^#\d+$/.test(query) ? Number(query.slice(1)) : undefined;
  const wanted = segments.filter(
    (segment) =>
      (line === undefined ? segment.searched.includes(query) : segment.line === line) &&
      (!view.differing || segment.differs) &&
      (view.range === undefined || inRange(segment.advantage, view.range)),
  );
  const sign = view.descending ? -1 : 1;
  const values = new Map(wanted.map((segment) => [segment, sortValue(segment, view.sort)]));
  return wanted.sort((x, y) => sign * (values.get(x)! - values.get(y)!) || x.line - y.line);
}

/** What a segment is sorted by. */
export function sortValue(segment: ListedSegment, key: SortKey): number {
  switch (key) {
    case 'magnitude':
      return Math.abs(segment.advantage);
    case 'advantage':
      return segment.advantage;
    case 'a':
      return segment.a.score;
    case 'b':
      return segment.b.score;
    case 'line':
      return segment.line;
    case 'length':
      return segment.references[0]?.length ?? 0;
  }
}

/** Which end of an order comes first, in words. */
export function orderLabel(key: SortKey, descending: boolean): string {
  if (key === 'advantage') return descending ? 'A better first' : 'B better first';
  if (key === 'line') return descending ? 'from the last' : 'from the first';
  if (key === 'length') return descending ? 'longest first' : 'shortest first';
  if (key === 'magnitude') return descending ? 'largest first' : 'smallest first';
  return descending ? 'highest first' : 'lowest first';
}
