import * as fs from 'node:fs';
import * as path from 'node:path';
import { openInput, readFileBounded } from '../../common/file-input.js';
import { FIGURE_NAMES } from '../../common/validation-figures.js';
import { type MetricsPoint, type Sample, TRAINING_FIGURES } from '../../report/training-run.js';
import { METRICS_FILE } from '../../train/metrics-log.js';

/** Where a run directory keeps its metrics. */
export function metricsFile(run: string): string {
  return path.join(run, METRICS_FILE);
}

/**
 * The metrics of a run, which may be written at this moment: a last line that is cut short is left out, as is
 * every line that is none of ours. A figure that is not finite is left out of its line.
 */
export function readMetrics(run: string): MetricsPoint[] {
  const file = metricsFile(run);
  if (!fs.existsSync(file)) return [];
  const text = readFileBounded(file, 'the metrics of a run').toString('utf8');
  return text.split('\n').flatMap((line) => parseLine(line) ?? []);
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
