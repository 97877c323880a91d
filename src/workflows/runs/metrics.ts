import { Buffer } from 'node:buffer';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { openInput } from '../../common/file-input.js';
import { lineBlocks } from '../../common/line-blocks.js';
import { FIGURE_NAMES } from '../../common/validation-figures.js';
import { type MetricsPoint, type Sample, TRAINING_FIGURES } from '../../report/training-run.js';
import { METRICS_FILE } from '../../train/metrics-log.js';

/** Where a run directory keeps its metrics. */
export function metricsFile(run: string): string {
  return path.join(run, METRICS_FILE);
}

const NEWLINE = 10;
/** A file of more bytes, some hundred thousand lines, is thinned: nobody sees more points in a curve. */
const THINNED = 1 << 26;
/** How many places of such a file are looked at for a line of training. */
const PLACES = 1 << 13;

/**
 * The metrics of a run, which may be written at this moment: a last line that is cut short is left out, as is
 * every line that is none of ours. A figure that is not finite is left out of its line. Of a very long file there are
 * all validations, the last lines, and of training some thousand lines from all of it.
 *
 * @param thinned bytes of a file from which on it is thinned
 */
export function readMetrics(run: string, thinned = THINNED): MetricsPoint[] {
  const file = metricsFile(run);
  if (!fs.existsSync(file)) return [];
  const { size } = fs.statSync(file);
  if (size > thinned) return readThinned(file, size);
  const points: MetricsPoint[] = [];
  for (const { bytes } of lineBlocks(file)) {
    for (const line of bytes.toString('utf8').split('\n')) {
      const point = parseLine(line);
      if (point !== undefined) points.push(point);
    }
  }
  return points;
}

/** How lines of ours begin, or what is in them where others have written them: in text a quote has a stroke before it. */
const VALID = '"event":"valid"';
const TRAIN = '"event":"train"';

/** Most lines are passed over unread: to look for a few bytes is faster by far than to parse all. */
function readThinned(file: string, size: number): MetricsPoint[] {
  const found = new Map<number, MetricsPoint>();
  const wait = size / PLACES;
  let place = 0;
  for (const { bytes, start } of lineBlocks(file)) {
    const take = (at: number): void => {
      const from = bytes.lastIndexOf(NEWLINE, at) + 1;
      const point = parseLine(bytes.toString('utf8', from, endOfLine(bytes, at)));
      if (point !== undefined) found.set(start + from, point);
    };
    for (let at = bytes.indexOf(VALID); at !== -1; at = bytes.indexOf(VALID, endOfLine(bytes, at))) take(at);
    for (; place < start + bytes.length; place += wait) {
      const at = bytes.indexOf(TRAIN, Math.max(0, Math.floor(place) - start));
      if (at !== -1) take(at);
    }
    const tail = Math.max(0, size - TAIL - start); // the last lines tell how fast it goes, and where it stands
    for (let at = tail; at < bytes.length; at = endOfLine(bytes, at) + 1) take(at);
  }
  return [...found].sort(([a], [b]) => a - b).map(([, point]) => point);
}

function endOfLine(bytes: Buffer, at: number): number {
  const end = bytes.indexOf(NEWLINE, at);
  return end === -1 ? bytes.length : end;
}

/** Bytes at the end of a file in which the last line of training is: those of validations have samples. */
const TAIL = 1 << 16;

/** The last line of training, read from the end of the file; undefined where there is none, or it cannot be read. */
export function lastUpdate(run: string): MetricsPoint | undefined {
  let file: number | undefined;
  try {
    file = openInput(metricsFile(run));
    const { size } = fs.fstatSync(file);
    const tail = Buffer.alloc(Math.min(size, TAIL));
    const read = fs.readSync(file, tail, 0, tail.length, size - tail.length);
    const points = tail.subarray(0, read).toString('utf8').split('\n').map(parseLine);
    return points.findLast((point) => point?.event === 'train');
  } catch {
    return undefined; // not yet, or not any more
  } finally {
    if (file !== undefined) fs.closeSync(file);
  }
}

const FIGURES = [...FIGURE_NAMES, ...TRAINING_FIGURES];

function parseLine(line: string): MetricsPoint | undefined {
  let found: Record<string, unknown> | null;
  try {
    found = JSON.parse(line);
  } catch {
    return undefined;
  }
  const { event, epoch, num_updates, wall } = found ?? {};
  if ((event !== 'train' && event !== 'valid') || !isNumber(epoch) || !isNumber(num_updates))
    return undefined;
  const figures = FIGURES.flatMap((key) => (isNumber(found![key]) ? [[key, found![key]]] : []));
  const samples = Array.isArray(found!.samples) ? found!.samples.filter(isSample) : [];
  return {
    event,
    epoch,
    num_updates,
    wall: isNumber(wall) ? wall : 0,
    ...Object.fromEntries(figures),
    ...(samples.length > 0 ? { samples } : {}),
  };
}

function isSample(value: unknown): value is Sample {
  const { source, reference, hypothesis } = (value ?? {}) as Partial<Sample>;
  return [source, reference, hypothesis].every((text) => typeof text === 'string');
}

const isNumber = (value: unknown): value is number => typeof value === 'number';
