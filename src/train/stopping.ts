import { UserError } from '../common/errors.js';
import type { Config } from '../config/schema.js';
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
