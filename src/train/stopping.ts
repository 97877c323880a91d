import * as path from 'node:path';
import { InterruptedError, UserError } from '../common/errors.js';
import type { TimeLimit } from '../common/progress.js';
import type { Config } from '../config/schema.js';
import { checkpointName } from './checkpoint-folders.js';
import type { Schedule } from './schedules.js';
import type { TrainState } from './state.js';

/** @throws UserError where nothing would ever end the training */
export function checkStops({ maxUpdate, maxEpoch, stopTime, patience }: Config['train']): void {
  if ([maxUpdate, maxEpoch, stopTime, patience].every((stop) => stop === null)) {
    throw new UserError({
      problem:
        'expected something that ends the training, found that max-update, max-epoch, stop-time and patience are all null',
      where: 'train',
      hint: 'Set one of train.max-update, train.max-epoch, train.stop-time (minutes) or train.patience; for example --max-epoch 20.',
    });
  }
}

/** Why training ends here, in words; undefined where it goes on. @param epochDone whether the epoch is at its end */
export function stopReason(
  config: Config['train'],
  state: TrainState,
  epochDone: boolean,
  schedule: Schedule,
): string | undefined {
  const { maxUpdate, maxEpoch, stopTime, patience, minLr, warmupUpdates } = config;
  const { epoch, updates, seconds, validationsSinceBest } = state;
  const epochsDone = epochDone ? epoch : epoch - 1;
  if (maxUpdate !== null && updates >= maxUpdate) return `train.max-update ${maxUpdate} is reached`;
  if (maxEpoch !== null && epochsDone >= maxEpoch) return `train.max-epoch ${maxEpoch} is reached`;
  if (stopTime !== null && seconds >= 60 * stopTime) return `train.stop-time ${stopTime} minutes is over`;
  if (patience !== null && validationsSinceBest >= patience) {
    return `the validation ${config.bestCheckpointMetric} did not improve in ${validationsSinceBest} validations (train.patience)`;
  }
  if (minLr > 0 && updates >= warmupUpdates && schedule(updates) < minLr) {
    return `the learning rate is below train.min-lr ${minLr}`;
  }
  return undefined;
}

/** The error of a training that ends since it was asked to. @param savedAt updates that are saved */
export function interruption(
  signal: 'SIGINT' | 'SIGTERM',
  runDirectory: string,
  { epoch, updates }: Readonly<TrainState>,
  savedAt: number,
): InterruptedError {
  const where = path.join(runDirectory, checkpointName(epoch, updates));
  const kept = savedAt === updates ? `saved in ${where}` : `of which the first ${savedAt} are saved`;
  const saved = updates === 0 ? 'before the first update' : `after ${updates} updates, ${kept}`;
  return new InterruptedError(signal, `Interrupted ${saved}. The same command goes on from there.`);
}

/** What ends a training, as far as it can be told before. */
export interface ExpectedEnd {
  readonly total?: number;
  readonly timeLimit?: TimeLimit;
}

/**
 * How many updates max-update and max-epoch allow, and the time that stop-time allows.
 *
 * @param perEpoch updates of an epoch
 * @param spent seconds of training so far
 */
export function expectedEnd(
  { maxUpdate, maxEpoch, stopTime }: Config['train'],
  perEpoch: number,
  spent: number,
): ExpectedEnd {
  const least = Math.min(maxUpdate ?? Infinity, (maxEpoch ?? Infinity) * perEpoch);
  return {
    total: least === Infinity ? undefined : least,
    timeLimit: stopTime === null ? undefined : { whole: 60 * stopTime, spent },
  };
}

/** Seconds that a save is trusted to take at most before the first one. */
const LEAST_MARGIN = 2;

/** When a process that has to be saved and gone by some time must stop training. */
export class Deadline {
  private readonly started = performance.now();
  private readonly seconds: number | null;
  private longestUpdate = 0;

  /** @param seconds from now on; null where there is no such time */
  constructor(seconds: number | null) {
    this.seconds = seconds;
  }

  /** Learns how long an update takes. */
  note(updateSeconds: number): void {
    this.longestUpdate = Math.max(this.longestUpdate, updateSeconds);
  }

  /** Whether the process would not be saved in time after one more update. @param longestSave in seconds, so far */
  isNear(longestSave: number): boolean {
    if (this.seconds === null) return false;
    const needed = 2 * this.longestUpdate + Math.max(2 * longestSave, LEAST_MARGIN);
    return (performance.now() - this.started) / 1000 + needed >= this.seconds;
  }
}
