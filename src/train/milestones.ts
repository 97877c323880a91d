import type { TrainConfig } from '../config/schema.js';
import type { TrainState } from './state.js';

/** Where training stands between two updates. */
export interface Standing {
  state: Readonly<TrainState>;
  epochDone: boolean;
  /** Updates and seconds of training at the latest checkpoint. */
  saved: { updates: number; seconds: number };
}

/** What is done before the next update. */
export interface Milestone {
  validate: boolean;
  /** Without looking at what the validation finds. */
  save: boolean;
  /** Whether only the clock asks for it, so that another run of the same would do it elsewhere. */
  byClock: boolean;
}

/** What the intervals of a config ask for here: at the end of epochs, after so many updates, after so many minutes. */
export function milestone(config: TrainConfig, { state, epochDone, saved }: Standing): Milestone {
  const { validateInterval, validateIntervalUpdates, validateIntervalMinutes, validateFirst } = config;
  const { saveInterval, saveIntervalUpdates, saveIntervalMinutes } = config;
  const { epoch, updates, seconds, validatedAt, validatedSeconds } = state;
  const afterEpochs = (epochs: number): boolean => epochs > 0 && epochDone && epoch % epochs === 0;
  const afterUpdates = (count: number): boolean => count > 0 && updates > 0 && updates % count === 0;
  const afterMinutes = (minutes: number, last: number): boolean =>
    minutes > 0 && updates > 0 && seconds - last >= 60 * minutes;
  const first = validateFirst && updates === 0 && state.bests.length === 0;
  const inEpochs = afterEpochs(validateInterval) || first;
  const betweenUpdates = afterUpdates(validateIntervalUpdates);
  const between = betweenUpdates || afterMinutes(validateIntervalMinutes, validatedSeconds);
  const counted = betweenUpdates || afterEpochs(saveInterval) || afterUpdates(saveIntervalUpdates);
  const save = counted || between || afterMinutes(saveIntervalMinutes, saved.seconds);
  return {
    validate: first || ((inEpochs || between) && validatedAt !== updates),
    save: save && saved.updates !== updates,
    byClock: !counted && !inEpochs,
  };
}

/** Whether anything is ever validated on the way. */
export function validates({
  validateInterval,
  validateIntervalUpdates,
  validateIntervalMinutes,
}: TrainConfig): boolean {
  return validateInterval > 0 || validateIntervalUpdates > 0 || validateIntervalMinutes > 0;
}

/** Whether checkpoints are saved on the way, so that there are numbered ones to keep. */
export function savesOnTheWay({
  saveInterval,
  saveIntervalUpdates,
  saveIntervalMinutes,
}: TrainConfig): boolean {
  return saveInterval > 0 || saveIntervalUpdates > 0 || saveIntervalMinutes > 0;
}
