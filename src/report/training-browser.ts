/** What the script of the training report uses of a browser and of the charting library (uPlot). */
import type { PageElement } from './comparison-script.js';

export interface ReportElement extends PageElement {
  innerHTML: string;
  readonly clientWidth: number;
  disabled?: boolean;
}

export interface ReportDocument {
  readonly documentElement: ReportElement;
  getElementById(id: string): ReportElement | null;
  querySelectorAll(selector: string): Iterable<ReportElement>;
  createElement(tag: string): ReportElement;
}

export interface Canvas {
  font: string;
  fillStyle: string;
  strokeStyle: string;
  lineWidth: number;
  lineJoin: string;
  textAlign: string;
  textBaseline: string;
  save(): void;
  restore(): void;
  fillText(text: string, x: number, y: number): void;
  strokeText(text: string, x: number, y: number): void;
}

export interface Chart {
  readonly ctx: Canvas;
  /** In pixels of the canvas. */
  readonly bbox: {
    readonly left: number;
    readonly top: number;
    readonly width: number;
    readonly height: number;
  };
  readonly cursor: { readonly left?: number };
  readonly scales: { readonly x: { readonly min?: number; readonly max?: number } };
  setScale(key: string, limits: { min: number; max: number }): void;
  setSize(size: { width: number; height: number }): void;
  posToVal(position: number, scale: string): number;
  valToPos(value: number, scale: string, canvasPixels?: boolean): number;
  destroy(): void;
}

type Column = readonly (number | null)[];

export interface ChartConstructor {
  new (options: object, data: readonly Column[], place: ReportElement): Chart;
  /** Tables of x and y, joined on all their x. */
  join(tables: readonly (readonly Column[])[]): readonly Column[];
}

export interface ReportWindow {
  readonly document: ReportDocument;
  readonly uPlot: ChartConstructor;
  readonly devicePixelRatio: number;
  readonly ResizeObserver: new (listener: () => void) => { observe(element: ReportElement): void };
  getComputedStyle(element: ReportElement): { getPropertyValue(name: string): string };
  matchMedia(query: string): { addEventListener(type: 'change', listener: () => void): void };
  setTimeout(listener: () => void, milliseconds: number): unknown;
  fetch(
    address: string,
  ): Promise<{ readonly ok: boolean; json(): Promise<unknown>; text(): Promise<string> }>;
}
