import * as path from 'node:path';
import { alone, type Communicator } from '../../common/communicator.js';
import { userErrorOf } from '../../common/errors.js';
import { log } from '../../common/log.js';
import type { TrainConfig } from '../../config/schema.js';
import type { Transformer } from '../../model/transformer.js';
import { tf } from '../../ops/tf.js';
import { readCheckpoint } from '../checkpoint.js';
import {
  checkpointName,
  LAST_CHECKPOINT,
  pointTo,
  removeLater,
  STATE_FILE,
  updatesOf,
} from '../checkpoint-folders.js';
import { mendBest } from '../rescue.js';
import { readStateFile, type TrainState } from '../state.js';
import type { Updater } from '../update.js';
import type { DoctorState } from './state.js';

/**
 * The doctor's state at a checkpoint that is due: it is one to go back to where none of the latest `max-skipped-updates` was
 * skipped and the loss is not stuck. Checkpoints that somebody has asked for are none: a run that is interrupted goes back
 * to where one that is not does.
 */
export function markGood({ epoch, updates, doctor }: TrainState, config: TrainConfig): DoctorState {
  const span = config.maxSkippedUpdates;
  const { nll, gradientNorm } = doctor.history;
  // A gradient that overflows in float16 is no failure.
  const latest = [...nll.slice(-span), ...(config.precision === 'float16' ? [] : gradientNorm.slice(-span))];
  const isGood = doctor.watch.troubled === 0 && latest.every((value) => value !== null);
  const wanted = config.doctor && config.rollbackLrFactor !== null;
  return wanted && isGood ? { ...doctor, good: { epoch, updates } } : doctor;
}

export interface RollbackOptions {
  config: TrainConfig;
  runDirectory: string;
  updater: Updater;
  /** The moving average of the weights, where there is one. */
  ema?: Transformer;
  /** The processes of the training, all of which go back. */
  communicator?: Communicator;
}

/**
 * Brings weights and moments back to those of the last good checkpoint, where the config allows it; training goes on from
 * there at a smaller learning rate. Of several processes all go back, or none.
 *
 * @returns the state to go on from; null where that may not or cannot be done, and nothing has changed
 */
export function goBack(state: TrainState, options: RollbackOptions): TrainState | null {
  const { config } = options;
  const { good, rollbacks, lrFactor, skipped, history } = state.doctor;
  if (config.rollbackLrFactor === null || good === null || rollbacks >= config.maxRollbacks) return null;
  const name = checkpointName(good.epoch, good.updates);
  const factor = lrFactor * config.rollbackLrFactor;
  const restored = restore(name, options);
  if (typeof restored === 'string') {
    log.warn(`Training cannot go back: ${restored}`);
    return null;
  }
  log.warn(
    `Going back to ${name}, and on from there with ${Number(factor.toPrecision(3))} of the learning rate (${rollbacks + 1} of at most ${config.maxRollbacks} times).`,
  );
  const doctor = { ...restored.doctor, skipped, rollbacks: rollbacks + 1, lrFactor: factor };
  return { ...restored, doctor: { ...doctor, cameFrom: history.last } };
}

/**
 * Reads a checkpoint into a model and its optimizer. Checkpoints after it belong to updates that are going to be made again,
 * and go. Killed at any point, the run goes on from a checkpoint that leads here again.
 *
 * @returns why that cannot be done, the same in all processes, where one of them cannot read it, or the first cannot write
 */
function restore(name: string, options: RollbackOptions): TrainState | string {
  const { runDirectory, communicator = alone } = options;
  communicator.barrier(); // the process that writes is done
  let read: Restored | undefined;
  const unread = refusalOf(() => {
    read = readOwn(name, options);
  });
  const refused =
    communicator.exchange(unread).find((reason) => reason !== null) ??
    communicator.broadcast(
      communicator.rank > 0 ? null : refusalOf(() => forgetLater(runDirectory, name, read!.state)),
    );
  if (refused === null) take(read!, options);
  if (read !== undefined) dispose(read);
  return refused ?? read!.state;
}

/** @returns what the system refuses, or a file lacks, in words; null where the work is done */
function refusalOf(work: () => void): string | null {
  try {
    work();
    return null;
  } catch (error) {
    return userErrorOf(error).message;
  }
}

type Restored = ReturnType<typeof readCheckpoint>;

function readOwn(name: string, { runDirectory, config, updater: { model } }: RollbackOptions): Restored {
  const folder = path.join(runDirectory, name);
  const { origin } = readStateFile(path.join(folder, STATE_FILE)); // it is of this run
  const own = { ...origin, settings: origin.settings ?? {} };
  return readCheckpoint(folder, model.config, model.vocabulary, own, config.freeze);
}

function take(restored: Restored, { updater: { model, moments }, ema }: RollbackOptions): void {
  setWeights(model, restored.model);
  if (ema !== undefined) setWeights(ema, restored.ema ?? restored.model);
  for (const kind of ['first', 'second'] as const) {
    moments[kind].forEach((moment, i) => {
      moment.assign(restored.moments[kind][i]);
    });
  }
}

function dispose({ model, ema, moments }: Restored): void {
  model.dispose();
  ema?.dispose();
  tf.dispose([moments.first, moments.second]);
}

function forgetLater(runDirectory: string, name: string, state: TrainState): void {
  pointTo(runDirectory, LAST_CHECKPOINT, name);
  const { updates } = state;
  mendBest(runDirectory, state, (later) => (updatesOf(later) ?? 0) > updates);
  removeLater(runDirectory, updates);
}

function setWeights(model: Transformer, from: Transformer): void {
  for (const [name, weight] of model.weights) weight.assign(from.weights.get(name)!);
}
