import * as fs from 'node:fs';
import * as path from 'node:path';
import type { ChosenBackend } from '../../backend/init.js';
import { log } from '../../common/log.js';
import { hasOmega } from '../../config/residual-schemes.js';
import type { Config, SettledConfig, WrittenConfig } from '../../config/schema.js';
import { checkModelMemory, TRAINING_COPIES } from '../../model/model-memory.js';
import { analyticOmega, type OmegaValues } from '../../model/omega.js';
import { Transformer, type VocabularySizes } from '../../model/transformer.js';
import { refuseAverage } from '../../train/average.js';
import { type Continuation, settingsAt } from '../../train/check-origin.js';
import { readCheckpoint } from '../../train/checkpoint.js';
import { LAST_CHECKPOINT } from '../../train/checkpoint-folders.js';
import { initFrom, type SourceModel } from '../../train/init-from.js';
import { readLastIntact } from '../../train/rescue.js';
import { changedSettings, runSettings } from '../../train/run-settings.js';
import { type CheckpointOrigin, INITIAL_STATE, type InitialWeights } from '../../train/state.js';
import type { TrainingStart } from '../../train/training.js';
import { ensureProfile, profileInputs } from '../profile.js';
import type { TrainingData } from './data.js';
import { describeKept } from './source-model.js';

/** What training starts with. */
export interface Start extends TrainingStart {
  /** Where the model is new. */
  omega?: OmegaValues | null;
  /** Where the run started from another model. */
  initFrom?: InitialWeights;
}

function vocabularyOf({ source, target }: TrainingData): VocabularySizes {
  return { source: source.size, target: target.size };
}

/** What a checkpoint of this training says of it, and what one must say that it goes on from. */
export function originOf(
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

/** The last intact checkpoint of a run. @throws UserError where there is none, or it is of another training */
export function resume(
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

/** A new model: initial weights, or those of another one. */
export async function begin(
  config: SettledConfig,
  data: TrainingData,
  next: Continuation,
  source: SourceModel | null,
): Promise<Start> {
  const vocabulary = vocabularyOf(data);
  checkModelMemory(config.model, vocabulary, TRAINING_COPIES);
  const inputs = profileInputs(config, data);
  if (source !== null) {
    const start = await initFrom(source, config, { next, vocabulary, firstBatch: inputs.firstBatch });
    log.info(`Starting with the weights of ${start.initFrom.path}${describeKept(config.train)}`);
    return start;
  }
  const profiled = await ensureProfile(config, inputs);
  const model = Transformer.create(config.model, vocabulary, config.seed, profiled, config.train.freeze);
  const analytic =
    hasOmega(config.model) && config.model.omega.init === 'analytic' ? analyticOmega(config.model) : null;
  return { model, state: INITIAL_STATE, omega: profiled ?? analytic };
}
