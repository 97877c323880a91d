import { escapeHtml } from './html.js';
import { compact } from './training-view.js';

/** Small still charts in SVG; their colours are those of the page's style. */
export interface Frame {
  readonly width: number;
  readonly height: number;
  /** Lowest and highest value of the y axis. */
  readonly range: readonly [number, number];
}

/** Room around the plotting area, for numbers and captions. */
export const MARGIN = { left: 40, right: 18, top: 10, bottom: 34 };

/** Height of a value in the picture. */
export function yOf({ height, range: [low, high] }: Frame, value: number): number {
  return MARGIN.top + (height - MARGIN.top - MARGIN.bottom) * (1 - (value - low) / (high - low));
}

/** The lowest place of the plotting area. */
export function bottomOf({ height }: Frame): number {
  return height - MARGIN.bottom;
}

/** A coordinate as it is written. */
export const fixed = (value: number): string => value.toFixed(1);

/** A text of the axes. */
export function tick(x: number, y: number, text: string | number, anchor = 'middle'): string {
  return `<text class="tick" x="${fixed(x)}" y="${fixed(y)}" text-anchor="${anchor}">${text}</text>`;
}

/** A chart with its caption and a grid of three heights. @param content SVG */
export function figure(caption: string, frame: Frame, label: string, content: readonly string[]): string {
  const { width, height } = frame;
  return (
    `<figure><figcaption>${escapeHtml(caption)}</figcaption>` +
    `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeHtml(label)}">` +
    `${grid(frame)}${content.join('')}</svg></figure>`
  );
}

function grid(frame: Frame): string {
  const [low, high] = frame.range;
  return [low, (low + high) / 2, high]
    .map((value) => {
      const y = yOf(frame, value);
      return (
        `<line class="grid" x1="${MARGIN.left}" x2="${frame.width - MARGIN.right}" y1="${fixed(y)}" y2="${fixed(y)}"/>` +
        tick(MARGIN.left - 6, y + 4, compact(Number(value.toPrecision(3))), 'end')
      );
    })
    .join('');
}

/** Least and greatest value with some air; never of no height. */
export function rangeOf(values: readonly number[]): [number, number] {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) [low, high] = [Math.min(low, value), Math.max(high, value)];
  const air = Math.max((high - low) * 0.08, Math.abs(high) * 0.02, 1e-9);
  return [low - air, high + air];
}
