import assert from 'node:assert/strict';
import { test } from 'node:test';
import vm from 'node:vm';
import { reportData, trainingPage } from '../../src/report/training-page.js';
import type { TrainingRun } from '../../src/report/training-run.js';
import { StubElement } from './page-stub.js';
import { ORIGIN, trainingRun, valid } from './training-lines.js';

/** As much of a chart as the script uses; it tells its hooks what a reader does. */
class StubChart {
  readonly ctx = {
    save() {},
    restore() {},
    strokeText() {},
    fillText: (text: string) => this.texts.push(text),
  };
  readonly bbox = { left: 0, top: 0, width: 100, height: 100 };
  readonly cursor: { left?: number } = {};
  readonly scales: { x: { min?: number; max?: number } } = { x: {} };
  readonly texts: string[] = [];
  destroyed = false;
  readonly options: StubOptions;
  readonly data: (number | null)[][];

  constructor(options: StubOptions, data: (number | null)[][]) {
    this.options = options;
    this.data = data;
  }
  setScale(_key: string, range: { min: number; max: number }): void {
    this.scales.x = range;
    this.options.hooks.setScale[0](this, 'x');
  }
  setSize(): void {}
  posToVal(position: number): number {
    return position;
  }
  valToPos(value: number): number {
    return value;
  }
  destroy(): void {
    this.destroyed = true;
  }
}

interface StubOptions {
  series: { dash?: number[] }[];
  scales: { y: { distr?: number } };
  hooks: Record<'setScale' | 'setCursor' | 'draw', ((chart: StubChart, key?: string) => void)[]>;
  cursor: { bind: { dblclick: () => () => void } };
}

/** Runs the script of a page. `reply` answers its polls; without one there are none. */
function open(runs: readonly TrainingRun[], reply?: () => unknown) {
  const html = trainingPage(runs, { script: '', style: '' }, ORIGIN, reply && '/data.json');
  const [, json] = /<script type="application\/json" id="data">(.*?)<\/script>/s.exec(html)!;
  const [, script] = /<script>\n('use strict'.*?)<\/script>/s.exec(html)!;
  const elements = new Map<string, StubElement>();
  const buttons: StubElement[] = [];
  for (const [, tag, attributes] of html.slice(0, html.indexOf(script)).matchAll(/<(\w+)( [^>]*)>/g)) {
    const element = new StubElement(tag);
    for (const [, name, value] of attributes.matchAll(/ ([\w-]+)="([^"]*)"/g)) {
      element.setAttribute(name, value);
      if (name === 'id') elements.set(value, element);
      if (name === 'value') element.value = value;
      if (name === 'data-run') buttons.push(element);
    }
  }
  elements.get('data')!.textContent = json;
  elements.get('axis')!.value = 'updates';
  let charts: StubChart[] = [];
  const later: (() => void)[] = [];
  class UPlot extends StubChart {
    constructor(options: StubOptions, data: (number | null)[][]) {
      super(options, data);
      charts.push(this);
    }
    static join(tables: (number | null)[][][]): (number | null)[][] {
      return tables.map(([, ys]) => ys);
    }
  }
  const document = {
    documentElement: new StubElement('html'),
    getElementById: (id: string) => elements.get(id) ?? null,
    querySelectorAll: (selector: string) => (selector === '[data-run]' ? buttons : []),
    createElement: (tag: string) => new StubElement(tag),
  };
  const window = {
    document,
    uPlot: UPlot,
    devicePixelRatio: 1,
    ResizeObserver: class {
      observe(): void {}
    },
    getComputedStyle: () => ({ getPropertyValue: (name: string) => name }),
    matchMedia: () => ({ addEventListener: () => {} }),
    setTimeout: (listener: () => void) => later.push(listener),
    fetch: async () => {
      const found = reply!();
      return { ok: found !== undefined, json: async () => found, text: async () => 'gone' };
    },
  };
  vm.runInNewContext(script, { window });
  return {
    element: (id: string) => elements.get(id)!,
    buttons,
    charts: () => {
      charts = charts.filter(({ destroyed }) => !destroyed);
      return charts;
    },
    settle: async () => {
      for (const listener of later.splice(0)) listener();
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

test('a chart for each figure; a run without lines has none', () => {
  assert.equal(open([trainingRun('a'), trainingRun('b')]).charts().length, 8);
  const page = open([trainingRun('a', { lines: [] })]);
  assert.equal(page.charts().length, 0);
  assert.equal(page.element('valid-loss').find('none')[0].textContent, 'No validation yet');
});

test('noisy curves are smoothed, before what they were; runs have dashes of their own', () => {
  const page = open([trainingRun('a'), trainingRun('b')]);
  const [loss, validation] = page.charts();
  assert.equal(loss.options.series.length, 5);
  assert.equal(validation.options.series.length, 3);
  assert.notDeepEqual(validation.options.series[1].dash, validation.options.series[2].dash);
  page.element('smoothing').value = '0';
  page.element('smoothing').fire('input');
  assert.equal(page.charts()[0].options.series.length, 3);
  assert.equal(page.element('percent').textContent, 'off');
});

test('a run can be hidden and shown', () => {
  const page = open([trainingRun('a'), trainingRun('b')]);
  page.buttons[0].fire('click');
  assert.equal(page.buttons[0].getAttribute('aria-pressed'), 'false');
  assert.equal(page.charts()[1].options.series.length, 2);
  assert.match(page.element('readout-valid-loss').textContent, /^last2 4\.5$/);
});

test('the logarithmic axis of a chart goes on and off', () => {
  const page = open([trainingRun('a')]);
  const logarithmic = () =>
    page.charts().flatMap(({ options }, i) => (options.scales.y.distr === 3 ? [i] : []));
  assert.deepEqual(logarithmic(), [2, 3]);
  page.element('log-train-loss').fire('click');
  assert.deepEqual(logarithmic(), [0, 2, 3]);
});

test('zooming one chart zooms all, until the whole range is asked for', async () => {
  const page = open([trainingRun('a')]);
  await page.settle();
  assert.ok(page.charts().every(({ scales }) => scales.x.min === 0 && scales.x.max === 40));
  page.charts()[2].setScale('x', { min: 10, max: 20 });
  assert.ok(page.charts().every(({ scales }) => scales.x.min === 10 && scales.x.max === 20));
  page.charts()[0].options.cursor.bind.dblclick()();
  assert.ok(page.charts().every(({ scales }) => scales.x.max === 40));
  page.element('axis').value = 'epochs';
  page.element('axis').fire('change');
  assert.ok(page.charts().every(({ scales }) => scales.x.max === 2));
});

test('the figures at the cursor are those of the nearest line, and of no run that has ended before', () => {
  const long = trainingRun('long', { lines: [valid(20, 1, 5), valid(400, 2, 3)] });
  const page = open([trainingRun('a'), long]);
  const chart = page.charts()[1];
  chart.cursor.left = 390.4;
  chart.options.hooks.setCursor[0](chart);
  assert.equal(page.element('readout-valid-loss').textContent, 'at 3901 –2 3');
  chart.options.hooks.draw[0](chart);
  assert.deepEqual(chart.texts, ['1', '2']);
});

test('newer data are drawn, and the reader is told when there are none', async () => {
  const more = trainingRun('a', { lines: [...trainingRun('a').lines, valid(60, 3, 2)] });
  const replies: unknown[] = [reportData([more]), undefined];
  const page = open([trainingRun('a')], () => replies.shift());
  await page.settle();
  assert.equal(page.charts()[1].data.at(-1)!.at(-1), 2);
  assert.match(page.element('status').textContent, /^up to date at /);
  await page.settle();
  assert.equal(page.element('status').textContent, 'no newer data: gone');
});
