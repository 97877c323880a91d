import { existsSync, statSync } from 'node:fs';
import * as path from 'node:path';
import { expectedSum } from '../../common/checksums.js';
import { nearest, UserError } from '../../common/errors.js';
import { hasOmega, SCHEMES } from '../../config/residual-schemes.js';
import type { ModelConfig, SettledConfig } from '../../config/schema.js';
import { Dictionary } from '../../data/dictionary.js';
import { locateCheckpoint, WEIGHTS_FILE } from '../../decode/checkpoint-location.js';
import { readWeights } from '../../formats/weights-file.js';
import { omegaOf, profileOmega } from '../../model/profile.js';
import { readOmega } from '../../model/profile-file.js';
import { Transformer } from '../../model/transformer.js';
import type { Moments } from '../../ops/optimizer.js';
import type { Subject } from '../../report/analysis-data.js';
import { OPTIMIZER_FILE, readMoments } from '../../train/checkpoint.js';
import { numberedCheckpoints, STATE_FILE, updatesOf } from '../../train/checkpoint-folders.js';
import { readStateFile } from '../../train/state.js';
import type { TrainingData } from '../train/data.js';

/** Stands for the initial weights among the checkpoints. */
export const INITIAL = 'init';
/** Stands for the initial weights and all numbered checkpoints. */
const ALL = 'all';

/** A model to look at. */
export interface AnalyzedModel {
  subject: Subject;
  config: SettledConfig;
  /** Its checkpoint; null at initialisation. */
  folder: string | null;
}

/** A model of `analyze` in memory. The caller disposes of the model; what takes the moments, of them. */
export interface OpenModel {
  model: Transformer;
  /** Updates done, and the optimizer after them; where a checkpoint keeps none, as if there were none. */
  updates: number;
  moments?: () => Moments;
}

/** The folder of a run, where the targets of the command are one. @throws UserError for a folder beside others */
export function runOf(targets: readonly string[]): string | undefined {
  const folder = targets.find((target) => existsSync(target) && statSync(target).isDirectory());
  if (folder === undefined || targets.length === 1) return folder;
  throw new UserError({
    problem: 'expected the YAML files of a config or one run directory, found a folder beside others',
    where: folder,
    hint: 'Analyze one run at a time.',
  });
}

/** The models of a config at initialisation, one for each scheme. @throws UserError for an unknown scheme */
export function initialModels(config: SettledConfig, schemes: readonly string[]): AnalyzedModel[] {
  return [...new Set(schemes)].map((residual) => {
    if (!isScheme(residual)) {
      const near = nearest(residual, Object.keys(SCHEMES));
      throw new UserError({
        problem: `expected one of ${Object.keys(SCHEMES).join(', ')}, found '${residual}'`,
        where: '--schemes',
        hint: near === undefined ? undefined : `Did you mean ${near}?`,
      });
    }
    return initialModel({ ...config, model: { ...config.model, residual } });
  });
}

function isScheme(name: string): name is ModelConfig['residual'] {
  return Object.hasOwn(SCHEMES, name);
}

function initialModel(config: SettledConfig): AnalyzedModel {
  return {
    subject: { residual: config.model.residual, checkpoint: INITIAL, updates: 0 },
    config,
    folder: null,
  };
}

/**
 * The models of a run at some checkpoints.
 *
 * @param names undefined for the one to translate with
 * @throws UserError for a checkpoint that is not there
 */
export function checkpointModels(
  run: string,
  config: SettledConfig,
  names?: readonly string[],
): AnalyzedModel[] {
  const { residual } = config.model;
  const all = (): string[] => [INITIAL, ...numberedCheckpoints(run).map(({ name }) => name)];
  const wanted = (names ?? [undefined]).flatMap((name) => (name === ALL ? all() : [name]));
  return wanted.map((name) => {
    if (name === INITIAL) return initialModel(config);
    const { checkpoint: folder } = locateCheckpoint(run, name);
    const checkpoint = path.basename(folder);
    return { subject: { residual, checkpoint, updates: updatesAt(folder) }, config, folder };
  });
}

/** Updates of a checkpoint; null where it does not say, as an average does not. */
function updatesAt(folder: string): number | null {
  const state = path.join(folder, STATE_FILE);
  return existsSync(state)
    ? readStateFile(state, expectedSum(folder, STATE_FILE)).state.updates
    : (updatesOf(path.basename(folder)) ?? null);
}

/**
 * Loads or initialises a model.
 *
 * @param dropout whether it keeps its dropout; without it all rates are 0
 * @throws UserError for weights that are damaged or of another shape
 */
export async function openModel(
  { config, folder, subject }: AnalyzedModel,
  data: TrainingData,
  dropout: boolean,
): Promise<OpenModel> {
  const vocabulary = { source: data.source.size, target: data.target.size };
  const model = dropout
    ? config.model
    : { ...config.model, dropout: 0, attentionDropout: 0, activationDropout: 0 };
  if (folder === null) {
    const omega = await initialOmega(config, data);
    return { model: Transformer.create(model, vocabulary, config.seed, omega), updates: 0 };
  }
  const file = path.join(folder, WEIGHTS_FILE);
  const tensors = readWeights(folder, WEIGHTS_FILE);
  const loaded = Transformer.fromWeights(model, vocabulary, tensors, file, config.train.freeze);
  if (!existsSync(path.join(folder, OPTIMIZER_FILE))) return { model: loaded, updates: 0 };
  const moments = (): Moments => readMoments(folder, loaded);
  return { model: loaded, updates: subject.updates ?? 0, moments };
}

/** ω as `train` would begin with; nothing is written. */
async function initialOmega(
  { model, train, seed }: SettledConfig,
  { source, target, firstBatch }: TrainingData,
): Promise<ReturnType<typeof omegaOf> | null> {
  if (!hasOmega(model) || model.omega.init !== 'profiled') return null;
  if (model.omega.profile !== null) return readOmega(model.omega.profile, model);
  return omegaOf(
    await profileOmega(
      model,
      { source: source.size, target: target.size },
      firstBatch(train.maxTokens),
      seed,
    ),
  );
}

/** Checks that a dataset has the dictionaries of a run. @throws UserError where it has others */
export function checkDictionaries(
  run: string,
  { data }: SettledConfig,
  { source, target }: TrainingData,
): void {
  for (const [language, found] of [
    [data.sourceLang, source],
    [data.targetLang, target],
  ] as const) {
    const own = path.join(run, `dict.${language}.txt`);
    if (Dictionary.load(own).hash === found.hash) continue;
    throw new UserError({
      problem: `expected the dictionary that the run was trained with (${own}), found another one`,
      where: path.join(data.destdir, `dict.${language}.txt`),
      hint: 'Name the dataset of the run with --destdir.',
    });
  }
}
