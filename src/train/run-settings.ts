import { configKeys } from '../config/keys.js';
import { valueAt } from '../config/paths.js';
import type { WrittenConfig } from '../config/schema.js';

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

/** The settings of a config that a checkpoint keeps. */
export function runSettings(written: WrittenConfig): RunSettings {
  const kept = [...configKeys.values()].filter(({ resume }) => resume !== 'free');
  return Object.fromEntries(kept.map(({ path }) => [path, valueAt(written, path)]));
}

/** What differs. A key that was not there yet had its default then; one that is no more is passed over. */
export function changedSettings(before: RunSettings, now: RunSettings): ChangedSetting[] {
  return Object.entries(now).flatMap(([key, value]) => {
    const old = Object.hasOwn(before, key) ? before[key] : configKeys.get(key)?.fallback;
    if (JSON.stringify(old) === JSON.stringify(value)) return [];
    return [{ key, before: old, now: value, changeable: configKeys.get(key)?.resume === 'changeable' }];
  });
}
