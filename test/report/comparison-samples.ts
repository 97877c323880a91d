import type { Comparison } from '../../src/report/comparison-page.js';
import type { ComparedSegment, ComparedToken } from '../../src/report/comparison-segments.js';
import type { ListedSegment } from '../../src/report/comparison-view.js';

/** Tokens, one a word, with given orders; matched by this system only where `only` says so. */
export function marked(text: string, orders: readonly number[] = [], only: readonly number[] = []) {
  return text
    .split(/\s+/)
    .filter((word) => word !== '')
    .map(
      (word, i): ComparedToken => ({
        text: word,
        order: orders[i] ?? 1,
        only: only[i] ?? 0,
        alone: only[i] === 1,
      }),
    );
}

/** A segment with one reference and two translations. */
export function segment(line: number, reference: string, a: [string, number], b: [string, number]) {
  const translation = ([text, score]: [string, number]) => ({ text, score, tokens: marked(text) });
  return {
    line,
    references: [reference],
    a: translation(a),
    b: translation(b),
  } satisfies ComparedSegment;
}

/** A comparison of BLEU with the given segments. */
export function comparison(segments: readonly ComparedSegment[], changes: Partial<Comparison> = {}) {
  return {
    title: 'base and deep',
    systems: { a: 'base.en', b: 'deep.en' },
    references: ['ref.en'],
    corpus: [{ metric: 'BLEU', a: '30.1', b: '31.2', signature: 'nrefs:1|case:mixed' }],
    sentenceMetric: { name: 'BLEU' },
    segments,
    ...changes,
  } satisfies Comparison;
}

/** A segment of the page's list with nothing but what the test is about. */
export function listed(line: number, a: number, b: number, changes: Partial<ListedSegment> = {}) {
  return {
    line,
    references: ['x'],
    a: { score: a, runs: [] },
    b: { score: b, runs: [] },
    advantage: a - b,
    searched: '',
    differs: true,
    ...changes,
  } satisfies ListedSegment;
}
