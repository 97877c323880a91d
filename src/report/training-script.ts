/**
 * The script of the training report: ordinary functions, put into the page by their source text, so that they are
 * type-checked and tested like all others.
 */
import type { Chart, ReportDocument, ReportElement, ReportWindow } from './training-browser.js';
import {
  chartOptions,
  drawLabels,
  type Line,
  type Look,
  linesOf,
  namedTicks,
  tablesOf,
} from './training-chart.js';
import type { ChartSpec, RunCurves } from './training-curves.js';
import {
  type Axis,
  compact,
  interpolate,
  nearestIndex,
  positions,
  smooth,
  spreadLabels,
} from './training-view.js';

/** What the page's JSON holds. */
export interface PageData {
  readonly charts: readonly ChartSpec[];
  readonly dashes: readonly (readonly number[])[];
  runs: readonly RunCurves[];
  /** Where newer data are to be had. */
  readonly poll?: string;
}

/** The script's text. */
export function trainingScript(): string {
  const functions = [
    ...[nearestIndex, interpolate, positions, smooth, compact, spreadLabels],
    ...[linesOf, tablesOf, namedTicks, chartOptions, drawLabels, fillReadout, replaceSections],
    ...[setZoom, followZoom, drawCharts, drawPanel, followControls, pollData, startReport],
  ];
  return `'use strict';\n${functions.map(String).join('\n\n')}\n\nstartReport(window);\n`;
}

interface Panel {
  readonly spec: ChartSpec;
  log: boolean;
  /** Null where there is nothing to draw. */
  chart: Chart | null;
}

/** What the page shows at a time. */
interface State {
  readonly data: PageData;
  readonly panels: readonly Panel[];
  /** By run. */
  readonly shown: boolean[];
  /** The part of the x axis that a reader chose; null is the whole. */
  zoom: { min: number; max: number } | null;
  /** While scales are set by the page, not by the reader. */
  drawing: boolean;
}

/** Brings the page to life: draws its charts, follows its controls, and asks for newer data where it can. */
export function startReport(window: ReportWindow): void {
  const data = JSON.parse(window.document.getElementById('data')!.textContent!) as PageData;
  const panels = data.charts.map((spec): Panel => ({ spec, log: spec.log === true, chart: null }));
  const state: State = { data, panels, shown: data.runs.map(() => true), zoom: null, drawing: false };
  followControls(window, state);
  drawCharts(window, state);
  if (data.poll !== undefined) void pollData(window, state, data.poll);
}

/** Redraws when a reader presses or moves something, and when the page changes its look. */
export function followControls(window: ReportWindow, state: State): void {
  const { document } = window;
  const element = (id: string): ReportElement => document.getElementById(id)!;
  const draw = (): void => drawCharts(window, state);
  const drawWhole = (): void => {
    setZoom(document, state, null);
    draw();
  };
  for (const button of document.querySelectorAll('[data-run]')) {
    const run = Number(button.getAttribute('data-run'));
    button.addEventListener('click', () => {
      state.shown[run] = !state.shown[run];
      button.setAttribute('aria-pressed', String(state.shown[run]));
      draw();
    });
  }
  for (const panel of state.panels) {
    const button = document.getElementById(`log-${panel.spec.id}`);
    button?.addEventListener('click', () => {
      panel.log = !panel.log;
      button.setAttribute('aria-pressed', String(panel.log));
      draw();
    });
  }
  element('smoothing').addEventListener('input', draw);
  element('axis').addEventListener('change', drawWhole);
  element('reset').addEventListener('click', drawWhole);
  window.matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw);
  new window.ResizeObserver(() => {
    for (const { spec, chart } of state.panels) {
      chart?.setSize({ width: element(spec.id).clientWidth, height: 215 });
    }
  }).observe(element('charts'));
}

/** Keeps a part of the x axis as chosen. */
export function setZoom(document: ReportDocument, state: State, range: State['zoom']): void {
  state.zoom = range;
  document.getElementById('reset')!.disabled = range === null;
}

/** The charts have one x axis: what is chosen in one holds for all. */
export function followZoom(document: ReportDocument, state: State, chart: Chart): void {
  const { min, max } = chart.scales.x;
  if (state.drawing || min === undefined || max === undefined) return;
  if (state.zoom?.min === min && state.zoom.max === max) return;
  setZoom(document, state, { min, max });
  for (const other of state.panels) if (other.chart !== chart) other.chart?.setScale('x', { min, max });
}

/** Draws all charts anew. */
export function drawCharts(window: ReportWindow, state: State): void {
  const element = (id: string): ReportElement => window.document.getElementById(id)!;
  const axis = element('axis').value as Axis;
  const percent = Number(element('smoothing').value);
  element('percent').textContent = percent === 0 ? 'off' : `${percent} %`;
  const longest = (of: Axis): number =>
    Math.max(...state.data.runs.map(({ clock }) => clock[of][clock[of].length - 1]));
  const stretch = (percent / 100) * longest('updates');
  const range = state.zoom ?? { min: 0, max: longest(axis) || 1 };
  state.drawing = true;
  for (const panel of state.panels) {
    panel.chart?.destroy();
    panel.chart = drawPanel(window, state, panel, { axis, stretch });
    panel.chart?.setScale('x', range);
  }
  // The charts set their scales in a task of their own.
  window.setTimeout(() => {
    state.drawing = false;
  }, 0);
}

/** Draws a chart and what stands above it. @returns null where there is nothing to draw */
export function drawPanel(
  window: ReportWindow,
  state: State,
  { spec, log }: Panel,
  { axis, stretch }: { axis: Axis; stretch: number },
): Chart | null {
  const { document, uPlot } = window;
  const [place, readout] = [spec.id, `readout-${spec.id}`].map((id) => document.getElementById(id)!);
  const lines = linesOf(state.data.runs, state.shown, spec, { axis, log, stretch });
  place.replaceChildren();
  fillReadout(document, readout, lines);
  if (lines.length === 0) {
    const none = document.createElement('div');
    none.className = 'none';
    none.textContent = spec.event === 'valid' ? 'No validation yet' : 'No such figures yet';
    place.append(none);
    return null;
  }
  const style = window.getComputedStyle(document.documentElement);
  const color = (name: string): string => style.getPropertyValue(`--${name}`).trim();
  const look: Look = { color, dashes: state.data.dashes, log, width: place.clientWidth };
  const options = chartOptions(spec, lines, look, {
    cursor: (chart) => fillReadout(document, readout, lines, { chart, axis }),
    scale: (chart) => followZoom(document, state, chart),
    draw: (chart) => drawLabels(chart, lines, look, window.devicePixelRatio),
    whole: () => {
      setZoom(document, state, null);
      drawCharts(window, state);
    },
  });
  return new uPlot(options, uPlot.join(tablesOf(lines)), place);
}

/** Asks for newer data now and every three seconds. */
export async function pollData(window: ReportWindow, state: State, address: string): Promise<void> {
  const { document, fetch } = window;
  const status = document.getElementById('status')!;
  try {
    const response = await fetch(address);
    if (!response.ok) throw new Error(await response.text());
    const found = (await response.json()) as { runs: RunCurves[]; sections: Record<string, string> };
    replaceSections(document, found.sections);
    if (JSON.stringify(found.runs) !== JSON.stringify(state.data.runs)) {
      state.data.runs = found.runs;
      drawCharts(window, state);
    }
    status.textContent = `up to date at ${new Date().toLocaleTimeString()}`;
  } catch (error) {
    status.textContent = `no newer data: ${(error as Error).message}`;
  }
  window.setTimeout(() => pollData(window, state, address), 3000);
}

/** Says what the runs have where the cursor is, or at their ends where it is nowhere. */
export function fillReadout(
  document: ReportDocument,
  place: ReportElement,
  lines: readonly Line[],
  cursor?: { chart: Chart; axis: Axis },
): void {
  const left = cursor?.chart.cursor.left ?? -1;
  const x = left < 0 ? null : cursor!.chart.posToVal(left, 'x');
  place.replaceChildren();
  const unit = cursor?.axis === 'hours' ? ' h' : '';
  const where = x !== null && cursor?.axis === 'updates' ? Math.round(x) : x;
  place.append(where === null ? 'last' : `at ${compact(where)}${unit}`);
  for (const { run, xs, ys } of lines) {
    const outside = x !== null && x > xs[xs.length - 1] + (xs[xs.length - 1] - xs[0]) * 0.02;
    const value = ys[x === null ? ys.length - 1 : nearestIndex(xs, x)];
    const item = document.createElement('span');
    const name = document.createElement('b');
    name.className = `run-${run % 8}`;
    name.textContent = String(run + 1);
    item.append(name, ` ${outside ? '–' : compact(value)}`);
    place.append(item);
  }
}

/** Puts newer HTML in its place, where it is other than before; tables that were open stay so. */
export function replaceSections(document: ReportDocument, sections: Readonly<Record<string, string>>): void {
  for (const [id, html] of Object.entries(sections)) {
    const section = document.getElementById(id)!;
    if (section.getAttribute('data-html') === html) continue;
    const open = [...document.querySelectorAll(`#${id} details`)].map((one) => one.getAttribute('open'));
    section.innerHTML = html;
    section.setAttribute('data-html', html);
    [...document.querySelectorAll(`#${id} details`)].forEach((one, i) => {
      if (open[i] != null) one.setAttribute('open', '');
    });
  }
}
