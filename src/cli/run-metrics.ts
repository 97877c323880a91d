import { existsSync } from 'node:fs';
import * as path from 'node:path';
import { readFileBounded } from '../common/files.js';
import type { MetricsPoint, Sample } from '../report/training-run.js';
import { METRICS_FILE } from '../train/metrics-log.js';

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
  if (!existsSync(file)) return [];
  const text = readFileBounded(file, 'the metrics of a run').toString('utf8');
  return text.split('\n').flatMap((line) => parseLine(line) ?? []);
}

const FIGURES = ['loss', 'nll_loss', 'ppl', 'lr', 'gnorm', 'clip', 'wps', 'bleu', 'chrf'] as const;

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
