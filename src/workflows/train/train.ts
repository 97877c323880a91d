import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import type { ChosenBackend } from '../../backend/init.js';
import { atRoot } from '../../common/at-root.js';
import { alone, type Communicator } from '../../common/communicator.js';
import { removeLeftovers } from '../../common/leftovers.js';
import { log } from '../../common/log.js';
import type { Config, SettledConfig, WrittenConfig } from '../../config/schema.js';
import { recoverCheckpoints } from '../../train/checkpoint-folders.js';
import type { MetricsLine } from '../../train/metrics-log.js';
import { rehearse } from '../../train/rehearsal.js';
import type { CheckpointOrigin } from '../../train/state.js';
import { checkStops } from '../../train/stopping.js';
import { Trainer } from '../../train/trainer.js';
import type { TrainerOptions, TrainingEnd } from '../../train/training.js';
import { guidanceOf } from '../attention-choice.js';
import { ensureDataset } from '../preprocess/preprocess.js';
import { checkKeys, checkOwnConfig } from '../runs/directory.js';
import { lockRun } from '../runs/lock.js';
import { agreeOnTraining, type Forecast, ofAllRanks, type Together } from './across-ranks.js';
import { openTrainingData, type TrainingData } from './data.js';
import { describeEnd, describeStart } from './describe.js';
import { type Asked, openTraining, startBackend } from './open-training.js';
import { describeForecast } from './ranks-forecast.js';
import { describeRehearsal } from './rehearsal-report.js';
import { type Configured, memoryLimit, settleBatch, takeRecorded, trialInputs } from './settle-batch.js';
import { findSource } from './source-model.js';
import { begin, originOf, type Start } from './start.js';
import { validationTranslator } from './validation-translator.js';

/** What a training is asked from outside. */
export interface TrainingSignals {
  /** What asked to save and end, if anything has. */
  received: () => 'SIGINT' | 'SIGTERM' | undefined;
  /** Whether a checkpoint was asked for since the last question. */
  saveRequested: () => boolean;
  /** Listens no more. */
  stop: () => void;
}

export interface TrainOptions extends Asked {
  /** Seconds of this process after which it has to be saved and gone. */
  stopAfter?: number | null;
  /** Told of every line of the metrics as it is written. */
  onMetrics?: (line: MetricsLine) => void;
  /** Called once updates begin: what asks to stop before ends the process as ever. */
  listen?: () => TrainingSignals;
  /** The processes that train together, all of which call this; default one. */
  communicator?: Communicator;
}

const UNHEARD: TrainingSignals = { received: () => undefined, saveRequested: () => false, stop: () => {} };

/**
 * `admin-nmt train`: dataset → run directory with checkpoints. Makes the dataset and the profile where they are
 * missing or stale, and goes on from `checkpoint_last` where there is one, or from the newest intact
 * checkpoint before it.
 *
 * Of several processes rank 0 goes first at all that makes something; each of them does `update-freq` batches of an update.
 *
 * @param written the config as it is kept in the run directory
 * @throws UserError for what the user can mend, InterruptedError after a signal, when everything is saved
 */
export async function train(
  config: Config,
  written: WrittenConfig,
  options: TrainOptions = {},
): Promise<TrainingEnd> {
  const { saveDir } = config.train;
  const { communicator = alone } = options;
  checkBefore(config, options);
  const given = ofAllRanks({ config, written }, communicator);
  const backend = await startBackend(given.config);
  agreeOnTraining(communicator, written, backend);
  let unlock = (): void => {};
  try {
    await atRoot(communicator, () => {
      unlock = lockRun(saveDir);
      recoverCheckpoints(saveDir);
      removeLeftovers(saveDir, true);
      return null;
    });
    return await trainLocked(given, backend, { ...options, communicator });
  } finally {
    unlock();
  }
}

function checkBefore({ train }: Config, { allowChange = [] }: TrainOptions): void {
  checkStops(train);
  checkOwnConfig(train.saveDir);
  checkKeys(allowChange, '--allow-change');
}

/**
 * `admin-nmt train --dry-run`: what training would take; the run directory is not touched.
 *
 * @returns lines of text
 * @throws UserError as train
 */
export async function rehearseTraining(
  asGiven: Config,
  asWritten: WrittenConfig,
  options: Asked & { forecast?: Forecast } = {},
): Promise<string> {
  checkBefore(asGiven, options);
  const { ranks, measured, threads = null } = options.forecast ?? {};
  const shared = { ...asGiven, threads: asGiven.threads ?? threads };
  const asked: Configured = { config: shared, written: asWritten };
  const given = options.restart ? asked : takeRecorded(asked);
  const source = findSource(given.config, given.written);
  const backend = await startBackend(given.config);
  await ensureDataset(given.config, options);
  const data = openTrainingData(given.config);
  const scratch = fs.mkdtempSync(path.join(tmpdir(), 'admin-nmt-dry-run-')); // for the profile
  try {
    const { config, written } = await settleBatch(given, data, backend);
    const inScratch = { ...config, train: { ...config.train, saveDir: scratch } };
    const start = await begin(inScratch, data, originOf(config, written, data, backend), source);
    try {
      for (const line of describeStart(config, data, start)) log.info(line);
      const inputs = { ...trialInputs(config, data), config: config.train, memory: backend.memory };
      const found = await rehearse(start.model, inputs);
      const { memory } = backend;
      const limit = memoryLimit(config, memory)?.text ?? null;
      const own = describeRehearsal(config.train, found, limit, memory?.ofCard ?? false);
      if (ranks === undefined) return own;
      return `${own}\n${describeForecast(found, config.train.updateFreq, ranks, measured)}`;
    } finally {
      start.model.dispose();
    }
  } finally {
    data.close();
    fs.rmSync(scratch, { recursive: true });
  }
}

async function trainLocked(
  given: Configured,
  backend: ChosenBackend,
  { stopAfter = null, listen = () => UNHEARD, onMetrics, ...options }: TrainOptions & Together,
): Promise<TrainingEnd> {
  const { communicator } = options;
  const { config, data, origin, start, unsaved } = await openTraining(given, backend, options);
  try {
    const { isVolatile, memory } = backend;
    const how = { stopAfter, unsaved, listen, onMetrics, communicator, isVolatile, memory };
    return await trainFrom(config, data, { ...origin, initFrom: start.initFrom }, start, how);
  } finally {
    start.model.dispose();
    data.close();
  }
}

async function trainFrom(
  config: SettledConfig,
  data: TrainingData,
  origin: CheckpointOrigin,
  start: Start,
  {
    listen,
    ...how
  }: Pick<TrainerOptions, 'stopAfter' | 'unsaved' | 'onMetrics' | 'isVolatile' | 'memory'> &
    Together &
    Required<Pick<TrainOptions, 'listen'>>,
): Promise<TrainingEnd> {
  for (const line of describeStart(config, data, start)) log.info(line);
  const { valid } = data;
  const translates = config.train.evalBleu && valid !== null;
  const translate = translates ? await validationTranslator(config, valid, how.communicator) : undefined;
  const signals = listen();
  const options = {
    config: config.train,
    seed: config.seed,
    maxPositions: config.model.maxPositions,
    origin,
    runDirectory: config.train.saveDir,
    train: data.train,
    valid,
    resegment: data.resegment,
    guidance: guidanceOf(config),
    interrupted: signals.received,
    saveRequested: signals.saveRequested,
    ...how,
    translate,
  };
  let trainer: Trainer | undefined;
  try {
    trainer = new Trainer(options, start);
    const end = await trainer.run();
    for (const line of describeEnd(config, end)) log.info(line);
    return end;
  } finally {
    trainer?.dispose();
    signals.stop();
  }
}
