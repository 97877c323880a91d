import * as fs from 'node:fs';
import * as path from 'node:path';
import type { ChosenBackend } from '../../backend/init.js';
import { settlePrecision } from '../../backend/precision.js';
import { atRoot, rootFirst } from '../../common/at-root.js';
import { explainFileError, UserError } from '../../common/errors.js';
import { log } from '../../common/log.js';
import type { Config, SettledConfig, WrittenConfig } from '../../config/schema.js';
import {
  hasCheckpoint,
  LAST_CHECKPOINT,
  removeCheckpoints,
  targetOf,
} from '../../train/checkpoint-folders.js';
import { removeReports } from '../../train/doctor/report.js';
import { removeEventFiles } from '../../train/event-log.js';
import type { SourceModel } from '../../train/init-from.js';
import { METRICS_FILE } from '../../train/metrics-log.js';
import { runSettings } from '../../train/run-settings.js';
import { checkpointBytes } from '../../train/trial.js';
import { chooseBackend } from '../choose-backend.js';
import { ensureDataset } from '../preprocess/preprocess.js';
import { checkRoom, checkSameRun, furnish } from '../runs/directory.js';
import { agreeOnData, type Together } from './across-ranks.js';
import { openTrainingData, type TrainingData } from './data.js';
import { type Configured, settleBatch, takeRecorded, withBatch } from './settle-batch.js';
import { findSource } from './source-model.js';
import { begin, originOf, resume, type Start } from './start.js';

/** What a rehearsal and a training are asked alike. */
export interface Asked {
  /** Start anew in a run directory that has checkpoints. */
  restart?: boolean;
  /** Compare the dataset with its checksums although it was found whole before. */
  verify?: boolean;
  /** Keys of settings that may differ from those of the checkpoint although they are bound to it. */
  allowChange?: readonly string[];
}

/** What training needs. Whoever opens it disposes of the model, and closes the data. */
export interface Opened {
  config: SettledConfig;
  data: TrainingData;
  origin: ReturnType<typeof originOf>;
  start: Start;
  /** Whether the weights are in no checkpoint of this run yet. */
  unsaved: boolean;
}

/** Starts the engine that a config asks for. @throws UserError where it is not there, or has not the precisions */
export async function startBackend(config: Config): Promise<ChosenBackend> {
  const backend = await chooseBackend(config);
  log.info(`Backend: ${backend.name} (${backend.reason})`);
  settlePrecision(backend, config.train.precision, 'train.precision');
  if (config.train.evalBleu)
    settlePrecision(backend, config.decode.precision, 'decode.precision', ' of translations');
  return backend;
}

/**
 * Opens the data, which are made where they are missing, then the model, for which a profile may be made, and the run directory.
 * Ranks that have other data than the first end between the two: nothing is planned, profiled or removed yet.
 */
export async function openTraining(
  given: Configured,
  backend: ChosenBackend,
  options: Asked & Together,
): Promise<Opened> {
  const { communicator } = options;
  const found = await rootFirst(communicator, () => openData(given, options));
  const { known, data, source, checkpoint } = found;
  try {
    agreeOnData(communicator, known.config, data, checkpoint);
    checkPatience(known.config, data);
    const batch = await atRoot(communicator, async () => batchOf(await settleBatch(known, data, backend)));
    const { config, written } = withBatch(known, batch);
    const origin = originOf(config, written, data, backend);
    const resuming = checkpoint !== null;
    const start = await rootFirst(communicator, async () => {
      const { allowChange } = options;
      const start = resuming
        ? resume(config, data, { ...origin, allowChange })
        : await begin(config, data, origin, source);
      try {
        if (communicator.rank === 0) prepareRunDirectory(config, written, start, resuming);
      } catch (error) {
        start.model.dispose();
        throw error;
      }
      return start;
    });
    return { config, data, origin, start, unsaved: !resuming && source !== null };
  } catch (error) {
    data.close();
    throw error;
  }
}

/** What is found before training is planned. */
interface Found {
  /** The config, with what the run directory has recorded of it. */
  known: Configured;
  data: TrainingData;
  /** Where a new run starts from another model. */
  source: SourceModel | null;
  /** Name of the checkpoint that the run goes on from. */
  checkpoint: string | null;
}

async function openData(given: Configured, { restart, verify, allowChange }: Asked): Promise<Found> {
  const { saveDir } = given.config.train;
  const resuming = !restart && hasCheckpoint(saveDir);
  const known = resuming ? takeRecorded(given) : given;
  if (resuming) checkSameRun(saveDir, { settings: runSettings(known.written), allowChange });
  const source = resuming ? null : findSource(known.config, known.written);
  const checkpoint = resuming ? (targetOf(saveDir, LAST_CHECKPOINT) ?? 'one without a link') : null;
  await ensureDataset(known.config, { verify });
  return { known, data: openTrainingData(known.config), source, checkpoint };
}

const batchOf = ({ config: { train } }: Configured<SettledConfig>) => ({
  maxTokens: train.maxTokens,
  updateFreq: train.updateFreq,
});

function checkPatience({ train: { patience }, data: { destdir } }: Config, { valid }: TrainingData): void {
  if (patience === null || valid !== null) return;
  throw new UserError({
    problem: 'train.patience counts validations, and the dataset has no validation split',
    where: destdir,
    hint: 'Set data.valid to validation text, or train.patience to null.',
  });
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
