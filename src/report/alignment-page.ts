import { ALIGNMENT_SCRIPT } from './alignment-script.js';
import { ALIGNMENT_STYLE } from './alignment-style.js';
import { escapeHtml } from './html.js';
import { type PageOrigin, pageHeader } from './page-header.js';
import { TRAINING_STYLE } from './training-style.js';

/** A sentence, its translation, and how much of each goes with what of the other. */
export interface AlignedSentence {
  /** Of the input, from 1. */
  readonly line: number;
  /** Words, or pieces. */
  readonly source: readonly string[];
  readonly target: readonly string[];
  /** Places of those that are linked. */
  readonly links: readonly (readonly [source: number, target: number])[];
  /** A row for each of the target and one for `</s>`, with a number for each of the source and one for `</s>`. */
  readonly weights: readonly (readonly number[])[];
}

/**
 * A page of sentences and their translations that shows what goes with a word one points at, and all of it as a matrix: one
 * HTML file that asks the network for nothing.
 *
 * @param translated lines in all, of which these are the first
 */
export function alignmentPage(
  sentences: readonly AlignedSentence[],
  translated: number,
  origin: PageOrigin,
): string {
  const all = sentences.length === translated;
  const shown = all
    ? `${translated} lines`
    : `${sentences.length} of ${translated} lines, the first with words`;
  return [
    '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
    // The browser itself keeps the page from loading anything.
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<title>Translations and their alignment</title>',
    `<style>${TRAINING_STYLE}${ALIGNMENT_STYLE}</style>`,
    '</head>\n<body>',
    pageHeader('Translations and their alignment', origin),
    `<p class="note">${shown}. Point at a word, or go to it by Tab, to see what it goes with; the matrix has how much of its attention each word of the translation (a row) has for each of the source, in hundredths. What is framed is linked.</p>`,
    ...sentences.map(sentenceSection),
    `<script>${ALIGNMENT_SCRIPT}</script>`,
    '</body>\n</html>\n',
  ].join('\n');
}

function sentenceSection(sentence: AlignedSentence): string {
  const { line, source, target } = sentence;
  return (
    `<section id="line-${line}"><h2>Line ${line}</h2>\n` +
    `<p class="side" dir="auto">${words(source)}</p>\n<p class="side" dir="auto">${words(target)}</p>\n` +
    `<details><summary>Matrix</summary><div class="scroll">${matrix(sentence)}</div></details></section>`
  );
}

const words = (side: readonly string[]): string =>
  side.map((word) => `<span tabindex="0">${escapeHtml(word)}</span>`).join(' ');

function matrix({ source, target, links, weights }: AlignedSentence): string {
  const linked = new Set(links.map(([from, to]) => `${from} ${to}`));
  const heads = [...source, END].map((word) => `<th scope="col"><span>${escapeHtml(word)}</span></th>`);
  const rows = [...target, END].map((word, row) => {
    const cells = weights[row].map((weight, column) => cell(weight, linked.has(`${column} ${row}`)));
    return `<tr><th scope="row">${escapeHtml(word)}</th>${cells.join('')}</tr>`;
  });
  return `<table class="matrix"><thead><tr><td></td>${heads.join('')}</tr></thead><tbody>${rows.join('\n')}</tbody></table>`;
}

const END = '</s>';

/** Hundredths, and nothing where there are none. */
function cell(weight: number, isLinked: boolean): string {
  const hundredths = Math.round(100 * weight);
  const style = hundredths === 0 ? '' : ` style="--weight:${hundredths}%"`;
  return `<td${isLinked ? ' class="linked"' : ''}${style}>${hundredths === 0 ? '' : hundredths}</td>`;
}
