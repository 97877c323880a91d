import { countSides, histogram, rangeAttributes } from './comparison-histogram.js';
import { comparisonScript } from './comparison-script.js';
import { type ComparedSegment, packSegment } from './comparison-segments.js';
import { COMPARISON_STYLE } from './comparison-style.js';
import { advantageOf } from './comparison-view.js';
import { embedJson, escapeHtml } from './html.js';

/** A row of the table of corpus scores; numbers come as they are to be printed. */
export interface CorpusComparison {
  readonly metric: string;
  readonly a: string;
  readonly b: string;
  readonly difference?: string;
  /** Confidence intervals, such as `36.2 ± 0.9`. */
  readonly intervalA?: string;
  readonly intervalB?: string;
  /** With what it means: `0.0100, differs`. */
  readonly pValue?: string;
  readonly signature: string;
}

/** What a comparison page shows. */
export interface Comparison {
  readonly title: string;
  /** Names of the two systems, such as the files of their translations. */
  readonly systems: { readonly a: string; readonly b: string };
  /** Name of what was translated, where segments have it. */
  readonly source?: string;
  /** Names of the references. */
  readonly references: readonly string[];
  readonly corpus: readonly CorpusComparison[];
  /** What the scores of segments are. */
  readonly sentenceMetric: {
    readonly name: string;
    readonly lowerIsBetter?: boolean;
    /** Decimals shown; default 1. */
    readonly decimals?: number;
    readonly signature?: string;
  };
  readonly segments: readonly ComparedSegment[];
}

/**
 * A page that compares the translations of two systems segment by segment: one HTML file that needs no other and
 * asks the network for nothing. It comes in pieces, one a segment, so that no string has to hold a whole corpus.
 */
export function* comparisonPage(comparison: Comparison): Generator<string> {
  const { title, systems, sentenceMetric, segments } = comparison;
  const { lowerIsBetter = false, decimals = 1 } = sentenceMetric;
  const advantages = segments.map(({ a, b }) => advantageOf(a.score, b.score, lowerIsBetter));
  yield [
    '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
    // The browser itself keeps the page from loading anything.
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<title>${escapeHtml(title)}</title>`,
    `<style>${COMPARISON_STYLE}</style>`,
    '</head>\n<body>',
    header(comparison),
    distribution(advantages, sentenceMetric.name),
    '<h2 id="segments-heading">Segments</h2>',
    LEGEND,
    CONTROLS,
    '<noscript><style>.controls { display: none; }</style><p class="note">The list of segments needs JavaScript; the scores above do not.</p></noscript>',
    '<ol id="segments" aria-labelledby="segments-heading"></ol>',
    '<p id="none" hidden>No segment fits.</p>',
    '<button type="button" id="more" hidden>Show more</button>',
    `<script type="application/json" id="data">{"systems":${embedJson(systems)},"lowerIsBetter":${lowerIsBetter},` +
      `"decimals":${decimals},"segments":[`,
  ].join('\n');
  for (const [i, segment] of segments.entries())
    yield `${i === 0 ? '' : ','}\n${embedJson(packSegment(segment))}`;
  yield `\n]}</script>\n<script>\n${comparisonScript()}</script>\n</body>\n</html>\n`;
}

function header({ title, systems, source, references, corpus }: Comparison): string {
  return [
    `<header>\n<h1>${escapeHtml(title)}</h1>`,
    '<dl class="systems">',
    `<dt><span class="key a">A</span></dt><dd>${escapeHtml(systems.a)}</dd>`,
    `<dt><span class="key b">B</span></dt><dd>${escapeHtml(systems.b)}</dd>`,
    ...(source === undefined
      ? []
      : [`<dt class="quiet">Src</dt><dd class="quiet">${escapeHtml(source)}</dd>`]),
    `<dt class="quiet">Ref</dt><dd class="quiet">${references.map(escapeHtml).join(', ')}</dd>`,
    '</dl>',
    corpusTable(corpus),
    '</header>',
  ].join('\n');
}

function corpusTable(corpus: readonly CorpusComparison[]): string {
  const columns = [
    { head: 'A', cell: (row: CorpusComparison) => score(row.a, row.intervalA) },
    { head: 'B', cell: (row: CorpusComparison) => score(row.b, row.intervalB) },
    { head: 'A − B', cell: (row: CorpusComparison) => escapeHtml(row.difference ?? '') },
    { head: 'p', cell: (row: CorpusComparison) => escapeHtml(row.pValue ?? '') },
  ].filter(({ cell }) => corpus.some((row) => cell(row) !== ''));
  const heads = columns.map(({ head }) => `<th scope="col" class="number">${head}</th>`).join('');
  const rows = corpus.map((row) => {
    const cells = columns.map(({ cell }) => `<td class="number">${cell(row)}</td>`).join('');
    return `<tr><th scope="row">${escapeHtml(row.metric)}</th>${cells}<td><code>${escapeHtml(row.signature)}</code></td></tr>`;
  });
  return [
    '<div class="scroll" tabindex="0"><table>',
    `<thead><tr><th scope="col">Corpus score</th>${heads}<th scope="col">Signature</th></tr></thead>`,
    `<tbody>${rows.join('\n')}</tbody></table></div>`,
  ].join('\n');
}

function score(value: string, interval = ''): string {
  return escapeHtml(value) + (interval && ` <span class="interval">(${escapeHtml(interval)})</span>`);
}

function distribution(advantages: readonly number[], metric: string): string {
  const names = ['<span class="key a">A</span> better', 'equal', '<span class="key b">B</span> better'];
  const sides = countSides(advantages).map((range, i) => {
    const share = advantages.length === 0 ? 0 : Math.round((100 * range.count) / advantages.length);
    const own = ['a', '', 'b'][i];
    return (
      `<button type="button" class="${own}" ${rangeAttributes(range)}>${names[i]} ` +
      `<b>${range.count.toLocaleString('en')}</b> <span class="quiet">${share} %</span></button>`
    );
  });
  return [
    `<h2>Differences in sentence ${escapeHtml(metric)}</h2>`,
    `<div class="sides" role="group" aria-label="Which system is better">${sides.join('\n')}</div>`,
    histogram(advantages, metric),
    '<p class="note hint">How many segments are better by how much. Press a bar, or a count above, to list those segments.</p>',
  ].join('\n');
}

const LEGEND = `<ul class="legend">
<li><span class="a"><span class="only alone">word</span></span> <span class="b"><span class="only alone">word</span></span> matches a reference in this system only</li>
<li><span class="a"><span class="only">words</span></span> <span class="b"><span class="only">words</span></span> stand in an n-gram that does</li>
<li><span class="unmatched">word</span> in no reference</li>
<li><kbd>j</kbd> <kbd>k</kbd> next, previous segment · <kbd>/</kbd> search</li>
</ul>`;

const CONTROLS = `<div class="controls" role="search">
<input type="search" id="query" placeholder="Search text, or #line" aria-label="Search text, or # and a line number">
<label>Sort by <select id="sort">
<option value="magnitude">size of difference</option>
<option value="advantage">difference</option>
<option value="a">score of A</option>
<option value="b">score of B</option>
<option value="line">line number</option>
<option value="length">length of reference</option>
</select></label>
<button type="button" id="order" title="Reverse the order">largest first</button>
<label><input type="checkbox" id="differing"> only differing</label>
<button type="button" id="reset" hidden>Show all</button>
<span id="status" role="status"></span>
</div>`;
