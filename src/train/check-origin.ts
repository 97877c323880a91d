import { type Complaint, UserError } from '../common/errors.js';
import { loadRunConfig } from '../config/load.js';
import { changedSettings, type RunSettings, runSettings } from './run-settings.js';
import type { CheckpointOrigin } from './state.js';

/** What training is about to go on with. */
export interface Continuation {
  settings: RunSettings;
  dataHash: string;
  vocabulary: CheckpointOrigin['vocabulary'];
  /** Keys of settings that may differ although training would not go on with another value unasked. */
  allowChange?: readonly string[];
}

const START_ANEW = 'or another --save-dir, or start anew with --restart';

/**
 * Checks that training may go on from a checkpoint.
 *
 * @param where its state.json
 * @throws UserError naming what differs and both values
 */
export function checkOrigin(
  origin: CheckpointOrigin,
  next: Continuation,
  folder: string,
  where: string,
): void {
  for (const [language, { size, hash }] of Object.entries(next.vocabulary)) {
    const other = origin.vocabulary[language];
    if (other?.hash === hash) continue;
    const found = other === undefined ? 'other languages' : `${other.size} symbols (${short(other.hash)})`;
    throw refuse(`the ${language} vocabulary of`, `${size} symbols (${short(hash)})`, found, where);
  }
  if (origin.dataHash !== next.dataHash) {
    throw refuse('the training split', short(next.dataHash), short(origin.dataHash), where);
  }
  checkSettings(settingsAt(folder, origin), next, where);
}

function refuse(what: string, expected: string, found: string, where: string): UserError {
  return new UserError({
    problem: `expected a checkpoint of ${what} ${expected}, found one of ${found}`,
    where,
    hint: `Give the data it was made with, ${START_ANEW}.`,
  });
}

/** @throws UserError naming every setting that differs and must not, with both values */
export function checkSettings(
  before: RunSettings,
  { settings, allowChange = [] }: Pick<Continuation, 'settings' | 'allowChange'>,
  where: string,
): void {
  const refused = changedSettings(before, settings).filter(
    ({ key, changeable }) => !changeable && !allowChange.includes(key),
  );
  if (refused.length === 0) return;
  const flags = refused.map(({ key }) => `--allow-change ${key}`).join(' ');
  const hint = `Give the settings of before, ${START_ANEW}. To go on with these all the same: ${flags}`;
  const complaints = refused.map(({ key, before: old, now }): Complaint => {
    const problem = `the checkpoint was trained with ${key} ${JSON.stringify(old)}, found ${JSON.stringify(now)}`;
    return { problem, where };
  });
  throw new UserError([...complaints.slice(0, -1), { ...complaints.at(-1)!, hint }]);
}

/** What a checkpoint was trained with. */
export function settingsAt(folder: string, { settings }: CheckpointOrigin): RunSettings {
  return settings ?? runSettings(loadRunConfig(folder).written);
}

export const short = (hash: string): string => hash.slice(0, 8);
