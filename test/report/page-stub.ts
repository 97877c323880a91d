import vm from 'node:vm';
import type { PageElement, PageEvent } from '../../src/report/comparison-script.js';

/** As much of a browser's element as the page's script uses. */
export class StubElement implements PageElement {
  readonly tag: string;
  className = '';
  title = '';
  dir = '';
  value = '';
  hidden = false;
  checked = false;
  tabIndex = 0;
  focused = 0;
  readonly children: (StubElement | string)[] = [];
  private readonly attributes = new Map<string, string>();
  private readonly listeners = new Map<string, (event: PageEvent) => void>();

  constructor(tag: string) {
    this.tag = tag;
  }

  get textContent(): string {
    return this.children.map((child) => (typeof child === 'string' ? child : child.textContent)).join('');
  }

  set textContent(text: string) {
    this.children.splice(0, Infinity, text);
  }

  append(...nodes: (PageElement | string)[]): void {
    this.children.push(...(nodes as (StubElement | string)[]));
  }

  replaceChildren(): void {
    this.children.length = 0;
  }

  getAttribute(name: string): string | null {
    return this.attributes.get(name) ?? null;
  }

  setAttribute(name: string, value: string): void {
    this.attributes.set(name, value);
  }

  addEventListener(type: string, listener: (event: PageEvent) => void): void {
    this.listeners.set(type, listener);
  }

  focus(): void {
    this.focused++;
  }

  /** What a browser does when a reader does something with the element. */
  fire(type: string, event: Partial<PageEvent> = {}): void {
    this.listeners.get(type)?.({ target: { tagName: this.tag }, preventDefault: () => {}, ...event });
  }

  /** The elements inside that have a class. */
  find(className: string): StubElement[] {
    return this.children.flatMap((child) => {
      if (typeof child === 'string') return [];
      const own = child.className.split(' ').includes(className) ? [child] : [];
      return [...own, ...child.find(className)];
    });
  }
}

/** A page opened in a browser that has the elements with an id and the filters, and nothing else. */
export interface OpenPage {
  element(id: string): StubElement;
  /** The button of a range of advantages. */
  filter(range: string): StubElement;
  press(key: string, event?: Partial<PageEvent>): void;
  /** Scrolls to the end of the rows. */
  scroll(): void;
}

/** Runs the script of a page. */
export function openPage(html: string): OpenPage {
  const [, json] = /<script type="application\/json" id="data">(.*?)<\/script>/s.exec(html)!;
  const [, script] = /<script>(.*?)<\/script>/s.exec(html)!;
  const elements = new Map<string, StubElement>();
  const filters = new Map<string, StubElement>();
  for (const [, tag, attributes] of html.slice(0, html.indexOf(script)).matchAll(/<(\w+)( [^>]*)>/g)) {
    const element = new StubElement(tag);
    for (const [, name, value] of attributes.matchAll(/ ([\w-]+)="([^"]*)"/g)) {
      element.setAttribute(name, value);
      if (name === 'id') elements.set(value, element);
      if (name === 'data-range') filters.set(value, element);
    }
  }
  elements.get('data')!.textContent = json;
  elements.get('sort')!.value = /<option value="(\w+)"/.exec(html)![1];
  const body = new StubElement('body');
  let onScroll = () => {};
  const document = {
    getElementById: (id: string) => elements.get(id) ?? null,
    querySelectorAll: (selector: string) => (selector === '[data-range]' ? filters.values() : []),
    createElement: (tag: string) => new StubElement(tag),
    addEventListener: body.addEventListener.bind(body),
  };
  class IntersectionObserver {
    constructor(callback: (entries: { isIntersecting: boolean }[]) => void) {
      onScroll = () => callback([{ isIntersecting: true }]);
    }
    observe(): void {}
  }
  vm.runInNewContext(script, { window: { document, IntersectionObserver } });
  return {
    element: (id) => elements.get(id)!,
    filter: (range) => filters.get(range)!,
    press: (key, event) => body.fire('keydown', { key, ...event }),
    scroll: () => onScroll(),
  };
}
