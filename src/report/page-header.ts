import { escapeHtml } from './html.js';
import { table } from './html-table.js';
import { runKey } from './run-key.js';

/** How every page of figures begins: what was trained, and how the page came to be. */

/** Names and values, in words. */
export type Facts = readonly (readonly [name: string, value: string])[];

/** How a page came to be. */
export interface PageOrigin {
  /** Of this program. */
  readonly version: string;
  /** In words. */
  readonly date: string;
  /** As it could be typed again. */
  readonly command: string;
}

/** @param status more HTML beside the title */
export function pageHeader(title: string, origin: PageOrigin, status = ''): string {
  const { version, date, command } = origin;
  return (
    `<header><h1>${escapeHtml(title)}</h1>${status}</header>\n` +
    `<p class="note">admin-nmt ${escapeHtml(version)}, ${escapeHtml(date)}: <code>${escapeHtml(command)}</code></p>`
  );
}

/** The facts of one training, or of what several have in common. */
export function factList(facts: Facts): string {
  const items = facts.map(([name, value]) => `<dt>${escapeHtml(name)}</dt><dd>${escapeHtml(value)}</dd>`);
  return `<dl class="facts">${items.join('\n')}</dl>`;
}

/** What was trained: a list for one run, a line for each of several. */
export function factSection(runs: readonly { readonly name: string; readonly facts: Facts }[]): string {
  if (runs.length === 1) return factList(runs[0].facts);
  const names = [...new Set(runs.flatMap(({ facts }) => facts.map(([name]) => name)))];
  const rows = runs.map(({ name, facts }, i) => {
    const values = new Map(facts);
    const cells = names.map((fact) => `<td>${escapeHtml(values.get(fact) ?? '–')}</td>`);
    return `<th scope="row">${runKey(i)} ${escapeHtml(name)}</th>${cells.join('')}`;
  });
  const open = runs.length <= 4 ? ' open' : '';
  return `<details${open}><summary>What was trained</summary>\n${table(['Run', ...names], rows, names.length + 1)}</details>`;
}
