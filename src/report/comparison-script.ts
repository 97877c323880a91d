/**
 * The script of the comparison page: ordinary functions, put into the page by their source text, so that they are
 * type-checked and tested like all others. Of a browser they use what the interfaces below name.
 */
import type { PageSegment, PageTranslation, Run } from './comparison-segments.js';
import {
  advantageOf,
  arrange,
  inRange,
  type ListedSegment,
  listSegment,
  orderLabel,
  type Range,
  type SortKey,
  sortValue,
  textOf,
} from './comparison-view.js';

/** What the page's JSON holds. */
export interface PageData {
  readonly systems: { readonly a: string; readonly b: string };
  readonly lowerIsBetter: boolean;
  readonly decimals: number;
  readonly segments: readonly PageSegment[];
}

export interface PageEvent {
  readonly target: { readonly tagName?: string } | null;
  readonly key?: string;
  readonly ctrlKey?: boolean;
  readonly metaKey?: boolean;
  readonly altKey?: boolean;
  preventDefault(): void;
}

export interface PageElement {
  textContent: string | null;
  className: string;
  title: string;
  dir: string;
  hidden: boolean;
  value: string;
  checked: boolean;
  tabIndex: number;
  append(...nodes: (PageElement | string)[]): void;
  replaceChildren(): void;
  getAttribute(name: string): string | null;
  setAttribute(name: string, value: string): void;
  addEventListener(type: string, listener: (event: PageEvent) => void): void;
  focus(): void;
}

export interface PageDocument {
  getElementById(id: string): PageElement | null;
  querySelectorAll(selector: string): Iterable<PageElement>;
  createElement(tag: string): PageElement;
  addEventListener(type: string, listener: (event: PageEvent) => void): void;
}

export interface PageWindow {
  readonly document: PageDocument;
  readonly IntersectionObserver: new (
    callback: (entries: readonly { readonly isIntersecting: boolean }[]) => void,
    options: { rootMargin: string },
  ) => { observe(element: PageElement): void };
}

/** The script's text. */
export function comparisonScript(): string {
  const functions = [
    ...[advantageOf, inRange, textOf, listSegment, sortValue, arrange, orderLabel],
    ...[createElement, describeRun, fillText, segmentItem, startPage],
  ];
  return `'use strict';\n${functions.map(String).join('\n\n')}\n\nstartPage(window);\n`;
}

/** Brings the page to life: reads its data, lists the segments, and follows its controls. */
export function startPage({ document, IntersectionObserver }: PageWindow): void {
  const ROWS = 100;
  const element = (id: string): PageElement => document.getElementById(id)!;
  const data = JSON.parse(element('data').textContent!) as PageData;
  const segments = data.segments.map((segment) => listSegment(segment, data.lowerIsBetter));
  const list = element('segments');
  const buttons = [...document.querySelectorAll('[data-range]')];
  let descending = true;
  let range: Range | undefined;
  let listed: readonly ListedSegment[] = [];
  let items: PageElement[] = [];
  let focused = -1;

  const showMore = (): void => {
    const added = listed
      .slice(items.length, items.length + ROWS)
      .map((segment) => segmentItem(document, segment, data));
    items.push(...added);
    list.append(...added);
    element('more').hidden = items.length >= listed.length;
  };
  const refresh = (): void => {
    const sort = element('sort').value as SortKey;
    const query = element('query').value;
    const differing = element('differing').checked;
    listed = arrange(segments, { sort, descending, query, differing, range });
    items = [];
    focused = -1;
    list.replaceChildren();
    showMore();
    element('order').textContent = orderLabel(sort, descending);
    const all = segments.length.toLocaleString('en');
    element('status').textContent =
      listed.length === segments.length
        ? `${all} segments`
        : `${listed.length.toLocaleString('en')} of ${all} segments`;
    element('none').hidden = listed.length > 0;
    element('reset').hidden = query === '' && !differing && range === undefined;
  };
  const choose = (button: PageElement | undefined): void => {
    const pressed = button?.getAttribute('aria-pressed') !== 'true' ? button : undefined;
    const [side, low, high] = (pressed?.getAttribute('data-range') ?? '').split(' ').map(Number);
    range = pressed && { side, low, high };
    for (const other of buttons) other.setAttribute('aria-pressed', String(other === pressed));
  };
  const move = (step: number): void => {
    focused = Math.max(0, Math.min(listed.length - 1, focused + step));
    if (focused >= items.length) showMore();
    items[focused]?.focus();
  };

  for (const button of buttons) {
    button.addEventListener('click', () => {
      choose(button);
      refresh();
    });
  }
  element('sort').addEventListener('change', () => {
    descending = element('sort').value !== 'line';
    refresh();
  });
  element('order').addEventListener('click', () => {
    descending = !descending;
    refresh();
  });
  element('query').addEventListener('input', refresh);
  element('differing').addEventListener('change', refresh);
  element('reset').addEventListener('click', () => {
    element('query').value = '';
    element('differing').checked = false;
    choose(undefined);
    refresh();
  });
  element('more').addEventListener('click', showMore);
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (/^(input|select|textarea)$/i.test(event.target?.tagName ?? '')) return;
    if (event.key === 'j') move(1);
    if (event.key === 'k') move(-1);
    if (event.key === '/') {
      event.preventDefault();
      element('query').focus();
    }
  });
  refresh();
  // The next rows are there before a reader has scrolled to the end of these.
  new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && showMore(), {
    rootMargin: '1200px',
  }).observe(element('more'));
}

/** A segment as an item of the list: number and difference, then a line for the source, each reference and each system. */
export function segmentItem(document: PageDocument, segment: ListedSegment, data: PageData): PageElement {
  const { line, source, references, advantage } = segment;
  const create = (tag: string, className: string, text?: string) =>
    createElement(document, tag, className, text);
  const item = create('li', 'segment');
  item.tabIndex = -1;
  const better = advantage > 0 ? 'A' : 'B';
  const gain =
    advantage === 0
      ? create('span', 'gain', 'equal')
      : create(
          'span',
          `gain ${better.toLowerCase()}`,
          `${better} by ${Math.abs(advantage).toFixed(data.decimals)}`,
        );
  const head = create('div', 'head');
  head.append(create('span', 'line', `#${line}`), gain);
  item.append(head);
  const plain = (who: string, line: string): void => {
    const text = create('p', 'text', line);
    text.dir = 'auto';
    item.append(create('span', 'who', who), text);
  };
  if (source !== undefined) plain('Src', source);
  for (const [i, reference] of references.entries()) {
    plain(references.length > 1 ? `Ref ${i + 1}` : 'Ref', reference);
  }
  for (const system of ['a', 'b'] as const) {
    const who = create('span', `who ${system}`, system.toUpperCase());
    who.title = data.systems[system];
    const text = create('p', `text ${system}`);
    text.dir = 'auto';
    fillText(document, text, segment[system]);
    item.append(who, create('span', 'score', segment[system].score.toFixed(data.decimals)), text);
  }
  return item;
}

/** Fills an element with a translation; runs that match in this system only and words without a match are marked. */
export function fillText(document: PageDocument, element: PageElement, translation: PageTranslation): void {
  let marked = false;
  for (const run of translation.runs) {
    const [text, order = 0, only = 0, alone = 0] = run;
    const spaced = text.startsWith(' ');
    // A space between two marked runs is marked too, so that they are one band.
    if (spaced) element.append(marked && only > 0 ? createElement(document, 'span', 'only', ' ') : ' ');
    const className = alone ? 'only alone' : only ? 'only' : order === 0 ? 'unmatched' : 'matched';
    const span = createElement(document, 'span', className, spaced ? text.slice(1) : text);
    span.title = describeRun(run);
    element.append(span);
    marked = only > 0;
  }
  if (translation.runs.length === 0)
    element.append(createElement(document, 'span', 'unmatched', '(nothing)'));
}

/** What a run matches, in words. */
export function describeRun([, order = 0, only = 0]: Run): string {
  if (order === 0) return 'in no reference';
  const matched = `longest match: ${order === 1 ? 'the word' : `${order} words`}`;
  return only === 0 ? matched : `${matched}; matched by this system only: ${only === 1 ? 'the word' : only}`;
}

/** A new element with a class and text. */
export function createElement(
  document: PageDocument,
  tag: string,
  className: string,
  text?: string,
): PageElement {
  const element = document.createElement(tag);
  element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}
