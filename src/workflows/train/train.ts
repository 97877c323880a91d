import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { type ChosenBackend, initBackend } from '../../backend/init.js';
import { formatDuration } from '../../common/duration.js';
import { explainFileError, UserError } from '../../common/errors.js';
import { removeLeftovers } from '../../common/leftovers.js';
import { log } from '../../common/log.js';
import { hasOmega } from '../../config/residual-schemes.js';
import type { Config, SettledConfig, WrittenConfig } from '../../config/schema.js';
import { checkModelMemory, TRAINING_COPIES } from '../../model/model-memory.js';
import { analyticOmega, type OmegaValues } from '../../model/omega.js';
import { omegaStacks } from '../../model/scheme.js';
import { Transformer, type VocabularySizes } from '../../model/transformer.js';
import { refuseAverage } from '../../train/average.js';
import { type Continuation, settingsAt } from '../../train/check-origin.js';
import { readCheckpoint } from '../../train/checkpoint.js';
import {
  BEST_CHECKPOINT,
  hasCheckpoint,
  LAST_CHECKPOINT,
  recoverCheckpoints,
  removeCheckpoints,
} from '../../train/checkpoint-folders.js';
import { removeReports } from '../../train/doctor/report.js';
import { removeEventFiles } from '../../train/event-log.js';
import type { FinalAverage } from '../../train/final-average.js';
import { initFrom, type SourceModel } from '../../train/init-from.js';
import { METRICS_FILE, type MetricsLine } from '../../train/metrics-log.js';
import { rehearse } from '../../train/rehearsal.js';
import { readLastIntact } from '../../train/rescue.js';
import { changedSettings, runSettings } from '../../train/run-settings.js';
import { type CheckpointOrigin, INITIAL_STATE, type InitialWeights } from '../../train/state.js';
import { checkStops } from '../../train/stopping.js';
import { Trainer } from '../../train/trainer.js';
import type { TrainerOptions, TrainingEnd, TrainingStart } from '../../train/training.js';
import { checkpointBytes } from '../../train/trial.js';
import { ensureDataset } from '../preprocess/preprocess.js';
import { ensureProfile, profileInputs } from '../profile.js';
import { checkKeys, checkOwnConfig, checkRoom, checkSameRun, furnish } from '../runs/directory.js';
import { lockRun } from '../runs/lock.js';
import { openTrainingData, type TrainingData } from './data.js';
import { describeDisk, describeRehearsal } from './rehearsal-report.js';
import { type Configured, memoryLimit, settleBatch, takeRecorded, trialInputs } from './settle-batch.js';
import { describeKept, findSource } from './source-model.js';
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

export interface TrainOptions {
  /** Start anew in a run directory that has checkpoints. */
  restart?: boolean;
  /** Seconds of this process after which it has to be saved and gone. */
  stopAfter?: number | null;
  /** Keys of settings that may differ from those of the checkpoint although they are bound to it. */
  allowChange?: readonly string[];
  /** Told of every line of the metrics as it is written. */
  onMetrics?: (line: MetricsLine) => void;
  /** Called once updates begin: what asks to stop before ends the process as ever. */
  listen?: () => TrainingSignals;
}

const UNHEARD: TrainingSignals = { received: () => undefined, saveRequested: () => false, stop: () => {} };

/**
 * `admin-nmt train`: dataset → run directory with checkpoints. Makes the dataset and the profile where they are
 * missing or stale, and goes on from `checkpoint_last` where there is one, or from the newest intact
 * checkpoint before it.
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
  checkBefore(config, options);
  const unlock = lockRun(saveDir);
  try {
    recoverCheckpoints(saveDir);
    removeLeftovers(saveDir, true);
    return await trainLocked(config, written, options);
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
  options: Pick<TrainOptions, 'restart' | 'allowChange'> = {},
): Promise<string> {
  checkBefore(asGiven, options);
  const asked: Configured = { config: asGiven, written: asWritten };
  const given = options.restart ? asked : takeRecorded(asked);
  const source = findSource(given.config, given.written);
  const { data, backend } = await openAll(given.config);
  const scratch = fs.mkdtempSync(path.join(tmpdir(), 'admin-nmt-dry-run-')); // for the profile
  try {
    const { config, written } = await settleBatch(given, data, backend);
    const inScratch = { ...config, train: { ...config.train, saveDir: scratch } };
    const start = begin(inScratch, data, originOf(config, written, data, backend), source);
    try {
      for (const line of describeStart(config, data, start)) log.info(line);
      const inputs = { ...trialInputs(config, data), config: config.train, memory: backend.memory };
      const found = await rehearse(start.model, inputs);
      return describeRehearsal(config.train, found, memoryLimit(config).text);
    } finally {
      start.model.dispose();
    }
  } finally {
    data.close();
    fs.rmSync(scratch, { recursive: true });
  }
}

/** Makes the dataset where it is missing or stale, starts the backend, and opens the data; the caller closes it. */
async function openAll(config: Config): Promise<{ data: TrainingData; backend: ChosenBackend }> {
  await ensureDataset(config);
  const backend = await initBackend(config.backend, config.threads);
  log.info(`Backend: ${backend.name} (${backend.reason})`);
  return { data: openTrainingData(config), backend };
}

async function trainLocked(
  asGiven: Config,
  asWritten: WrittenConfig,
  { restart = false, stopAfter = null, allowChange, listen = () => UNHEARD, onMetrics }: TrainOptions,
): Promise<TrainingEnd> {
  const { saveDir } = asGiven.train;
  const resuming = !restart && hasCheckpoint(saveDir);
  const given = { config: asGiven, written: asWritten };
  const known = resuming ? takeRecorded(given) : given;
  if (resuming) checkSameRun(saveDir, { settings: runSettings(known.written), allowChange });
  const source = resuming ? null : findSource(known.config, known.written);
  const { data, backend } = await openAll(known.config);
  try {
    checkPatience(known.config, data);
    const { config, written } = await settleBatch(known, data, backend);
    const origin = originOf(config, written, data, backend);
    const start = resuming
      ? resume(config, data, { ...origin, allowChange })
      : begin(config, data, origin, source);
    try {
      prepareRunDirectory(config, written, start, resuming);
      const unsaved = !resuming && source !== null;
      const how = { stopAfter, unsaved, listen, onMetrics };
      return await trainFrom(config, data, { ...origin, initFrom: start.initFrom }, start, how);
    } finally {
      start.model.dispose();
    }
  } finally {
    data.close();
  }
}

/** What training starts with. */
interface Start extends TrainingStart {
  /** Where the model is new. */
  omega?: OmegaValues | null;
  /** Where the run started from another model. */
  initFrom?: InitialWeights;
}

function checkPatience({ train: { patience }, data: { destdir } }: Config, { valid }: TrainingData): void {
  if (patience === null || valid !== null) return;
  throw new UserError({
    problem: 'train.patience counts validations, and the dataset has no validation split',
    where: destdir,
    hint: 'Set data.valid to validation text, or train.patience to null.',
  });
}

function vocabularyOf({ source, target }: TrainingData): VocabularySizes {
  return { source: source.size, target: target.size };
}

function originOf(
  { data }: Config,
  written: WrittenConfig,
  { source, target, hash }: TrainingData,
  { engine }: ChosenBackend,
): CheckpointOrigin & Continuation {
  const vocabulary = {
    [data.sourceLang]: { size: source.size, hash: source.hash },
    [data.targetLang]: { size: target.size, hash: target.hash },
  };
  return { settings: runSettings(written), dataHash: hash, vocabulary, engine };
}

function resume(
  config: Config,
  data: TrainingData,
  next: Continuation & Pick<CheckpointOrigin, 'engine'>,
): Start {
  refuseAverage(path.join(config.train.saveDir, LAST_CHECKPOINT));
  const vocabulary = vocabularyOf(data);
  const { restored, folder } = readLastIntact(config.train.saveDir, (checkpoint) =>
    readCheckpoint(checkpoint, config.model, vocabulary, next, config.train.freeze),
  );
  const { epoch, updates } = restored.state;
  log.info(`Going on from ${fs.realpathSync(folder)}: epoch ${epoch}, ${updates} updates`);
  for (const { key, before, now } of changedSettings(settingsAt(folder, restored.origin), next.settings)) {
    log.info(`${key} was ${JSON.stringify(before)}, from here on it is ${JSON.stringify(now)}`);
  }
  const { initFrom: startedFrom, engine = next.engine } = restored.origin;
  if (engine !== next.engine) {
    log.warn(
      `The checkpoint was computed by ${engine}, from here on it is ${next.engine}: sums are rounded otherwise, and the run comes to other bits.`,
    );
  }
  if (config.train.initFrom !== null) {
    log.info(
      `The run started from ${startedFrom?.path ?? 'initial weights'}; train.init-from is for new runs.`,
    );
  }
  return { ...restored, initFrom: startedFrom };
}

function begin(
  config: SettledConfig,
  data: TrainingData,
  next: Continuation,
  source: SourceModel | null,
): Start {
  const vocabulary = vocabularyOf(data);
  checkModelMemory(config.model, vocabulary, TRAINING_COPIES);
  const inputs = profileInputs(config, data);
  if (source !== null) {
    const start = initFrom(source, config, { next, vocabulary, firstBatch: inputs.firstBatch });
    log.info(`Starting with the weights of ${start.initFrom.path}${describeKept(config.train)}`);
    return start;
  }
  const profiled = ensureProfile(config, inputs);
  const model = Transformer.create(config.model, vocabulary, config.seed, profiled, config.train.freeze);
  const analytic =
    hasOmega(config.model) && config.model.omega.init === 'analytic' ? analyticOmega(config.model) : null;
  return { model, state: INITIAL_STATE, omega: profiled ?? analytic };
}

function prepareRunDirectory(
  config: Config,
  written: WrittenConfig,
  { model }: Start,
  resuming: boolean,
): void {
  const { saveDir } = config.train;
  try {
    if (!resuming) {
      removeCheckpoints(saveDir);
      fs.rmSync(path.join(saveDir, METRICS_FILE), { force: true });
      removeEventFiles(saveDir);
      removeReports(saveDir);
    }
  } catch (error) {
    throw explainFileError(error, saveDir);
  }
  furnish(saveDir, written, config.data);
  checkRoom(saveDir, checkpointBytes(model, config.train));
}

async function trainFrom(
  config: SettledConfig,
  data: TrainingData,
  origin: CheckpointOrigin,
  start: Start,
  {
    listen,
    ...how
  }: Pick<TrainerOptions, 'stopAfter' | 'unsaved' | 'onMetrics'> & Required<Pick<TrainOptions, 'listen'>>,
): Promise<TrainingEnd> {
  for (const line of describeStart(config, data, start)) log.info(line);
  const { valid } = data;
  const translates = config.train.evalBleu && valid !== null;
  const translate = translates ? await validationTranslator(config, valid) : undefined;
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

function describeStart({ model, train }: SettledConfig, data: TrainingData, start: Start): string[] {
  const { residual, encoder, decoder, embedDim } = model;
  const omega = start.omega
    ? ` (ω ${range(omegaStacks(model).flatMap((stack) => start.omega![stack]))})`
    : '';
  const trained = start.model.trainable.reduce((sum, { size }) => sum + size, 0);
  const frozen = train.freeze.length === 0 ? '' : `, ${trained} of them trained`;
  const [source, target] = [data.train.sourceLengths, data.train.targetLengths].map(total);
  const batch = `${train.maxTokens} tokens${train.updateFreq === 1 ? '' : ` × ${train.updateFreq} batches`}`;
  const valid = data.valid === null ? 'no validation split' : `${data.valid.size} pairs to validate`;
  return [
    `Model: ${encoder.layers} + ${decoder.layers} layers of width ${embedDim}, ${residual}${omega}, ${start.model.size} parameters${frozen}`,
    `Data: ${data.train.size} pairs, ${source} source and ${target} target tokens; ${valid}`,
    `Update: at most ${batch}; ${train.optimizer}, lr ${train.lr}, ${train.lrScheduler} after ${train.warmupUpdates} updates of warmup`,
    `Disk: ${describeDisk(train, checkpointBytes(start.model, train))}`,
  ];
}

function describeEnd({ train }: Config, { state, reason, last, averages }: TrainingEnd): string[] {
  const { saveDir } = train;
  const {
    bests: [best],
    updates,
    seconds,
  } = state;
  const loss = last === undefined ? '' : `, loss ${last.loss.toFixed(3)}, ppl ${last.ppl.toFixed(2)}`;
  const isBest = best !== undefined && fs.existsSync(path.join(saveDir, BEST_CHECKPOINT)); // that of before is elsewhere
  const checkpoint = path.join(saveDir, isBest ? BEST_CHECKPOINT : LAST_CHECKPOINT);
  const which = !isBest
    ? ''
    : ` (valid loss ${best.loss.toFixed(3)} after ${best.updates} updates, epoch ${best.epoch})`;
  return [
    `Done, since ${reason}: ${updates} updates in ${formatDuration(seconds)}${loss}`,
    `Model: ${checkpoint}${which}`,
    ...averages.map(describeAverage),
    `To translate: admin-nmt translate ${saveDir} --input FILE`,
  ];
}

function describeAverage({ folder, count, figures }: FinalAverage): string {
  const { loss, bleu, chrf } = figures ?? {};
  const scores = [
    loss === undefined ? '' : `, valid loss ${loss.toFixed(3)}`,
    bleu === undefined ? '' : `, BLEU ${bleu.toFixed(1)}`,
    chrf === undefined ? '' : `, chrF ${chrf.toFixed(1)}`,
  ];
  return `Average: ${folder} (the mean of ${count} checkpoints${scores.join('')})`;
}

function total(lengths: Int32Array): number {
  return lengths.reduce((sum, length) => sum + length, 0);
}

function range(values: readonly number[]): string {
  const ends = [Math.min(...values), Math.max(...values)].map((value) => value.toFixed(2));
  return ends[0] === ends[1] ? ends[0] : ends.join('–');
}
