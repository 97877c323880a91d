import { configKeys } from '../config/keys.js';
import { valueAt } from '../config/paths.js';
import type { WrittenConfig } from '../config/schema.js';

/** Decide nothing about the numbers of a run: paths, how it began, and when to look, save and log. */
const FREE = new Set([
  'preset',
  'backend',
  'threads',
  'data.root',
  'data.train',
  'data.valid',
  'data.test',
  'data.destdir',
  'data.prepared',
  'data.tokenizer.model',
  'data.vocabulary-from',
  'model.omega.profile',
  'train.save-dir',
  'train.init-from',
  'train.memory',
  'train.batch-tokens', // settled when the run starts: max-tokens and update-freq are what counts
  'train.reset-optimizer',
  'train.reset-scheduler',
  'train.reset-best',
  'train.reset-data',
  'train.grow',
  'train.validate-first',
  'train.validate-interval',
  'train.validate-interval-updates',
  'train.validate-interval-minutes',
  'train.eval-bleu',
  'train.eval-samples',
  'train.save-interval',
  'train.save-interval-updates',
  'train.save-interval-minutes',
  'train.keep-last',
  'train.keep-best',
  'train.average-last',
  'train.average-best',
  'train.log-interval',
  'train.tensorboard',
  'train.doctor',
]);

/** Change how training goes on, and not what it is the training of. */
const CHANGEABLE = new Set([
  'train.lr',
  'train.lr-scheduler',
  'train.warmup-updates',
  'train.warmup-init-lr',
  'train.end-lr',
  'train.power',
  'train.min-lr',
  'train.adam-betas',
  'train.adam-eps',
  'train.momentum',
  'train.weight-decay',
  'train.clip-norm',
  'train.max-update',
  'train.max-epoch',
  'train.stop-time',
  'train.patience',
  'train.best-checkpoint-metric',
  'train.max-skipped-updates',
  'train.rollback-lr-factor',
  'train.max-rollbacks',
  'train.validate-weights',
  'train.ema-decay',
]);

/** The settings that a checkpoint keeps, by dotted key: all that are not free. */
export type RunSettings = Readonly<Record<string, unknown>>;

/** A setting that is not what it was. */
export interface ChangedSetting {
  key: string;
  before: unknown;
  now: unknown;
  /** Whether training may go on with it unasked. */
  changeable: boolean;
}

/** The settings of a config that a checkpoint keeps. What is not listed above is bound: new keys are, at first. */
export function runSettings(written: WrittenConfig): RunSettings {
  const kept = [...configKeys.keys()].filter((key) => !FREE.has(key) && !/^(decode|score)\./.test(key));
  return Object.fromEntries(kept.map((key) => [key, valueAt(written, key)]));
}

/** What differs. A key that was not there yet had its default then; one that is no more is passed over. */
export function changedSettings(before: RunSettings, now: RunSettings): ChangedSetting[] {
  return Object.entries(now).flatMap(([key, value]) => {
    const old = Object.hasOwn(before, key) ? before[key] : configKeys.get(key)?.fallback;
    if (JSON.stringify(old) === JSON.stringify(value)) return [];
    return [{ key, before: old, now: value, changeable: CHANGEABLE.has(key) }];
  });
}
