import { existsSync } from 'node:fs';
import path from 'node:path';
import { canonicalHash } from '../common/canonical-hash.js';
import { log } from '../common/log.js';
import { DEFAULT_RESIDUAL, hasOmega } from '../config/residual-schemes.js';
import type { Config, SettledConfig, WrittenConfig } from '../config/schema.js';
import { type Batch, withPadding } from '../data/batch.js';
import { analyticOmega, type OmegaValues } from '../model/omega.js';
import { PADDING_INDEX } from '../model/parameters.js';
import { omegaOf, type ProfiledSublayer, profiledAs, profileOmega } from '../model/profile.js';
import {
  OFFICIAL_PROFILE_FILE,
  PROFILE_FILE,
  type ProfileOrigin,
  readOmega,
  readProfile,
  writeOfficialProfile,
  writeProfile,
} from '../model/profile-file.js';
import { STACKS } from '../model/scheme.js';
import type { VocabularySizes } from '../model/transformer.js';
import { compareOmega } from '../report/profile-table.js';
import { chooseBackend } from './choose-backend.js';
import { ensureDataset } from './preprocess/preprocess.js';
import { openTrainingData, type TrainingData } from './train/data.js';
import { settleBatch, takeRecorded } from './train/settle-batch.js';

/** What is profiled beside the model: the data that training starts with. */
export interface ProfileInputs {
  vocabulary: VocabularySizes;
  /** Names the training split and its dictionaries. */
  dataHash: string;
  /** The first batch of the first epoch. */
  firstBatch: () => Batch;
}

/** What a profile has found, and what the formula gives. */
export interface ProfiledModel {
  sublayers: ProfiledSublayer[];
  omega: OmegaValues;
  analytic: OmegaValues;
  /** Of the analytic ω. */
  formula: Config['model']['omega']['outputChange'];
}

/**
 * `admin-nmt profile`: measures the residual branches of the initial model on the first training batch, writes
 * `admin-profile.json` and `profile.ratio.init` into the run directory (or `output`), and returns them.
 */
export async function profile(
  given: Config,
  written: WrittenConfig,
  options: { output?: string } = {},
): Promise<ProfiledModel> {
  warnIfUnused(given);
  await ensureDataset(given);
  const backend = await chooseBackend(given);
  log.info(`Backend: ${backend.name} (${backend.reason})`);
  const data = openTrainingData(given);
  try {
    const known = takeRecorded({ config: given, written });
    const { config } = await settleBatch(known, data, backend);
    const folder = options.output ?? config.train.saveDir;
    const sublayers = await makeProfile(config, profileInputs(config, data), folder);
    const formula = config.model.omega.outputChange;
    return { sublayers, omega: omegaOf(sublayers), analytic: analyticOmega(config.model), formula };
  } finally {
    data.close();
  }
}

/** A line for each stack: its ω as it was profiled, and as the formula gives it. */
export function describeOmega({ omega, analytic, formula }: ProfiledModel): string[] {
  return STACKS.map((stack) => compareOmega(stack, omega[stack], analytic[stack][0], formula));
}

/** What is profiled of a training split, in the form of the first update of `train`. */
export function profileInputs({ train }: SettledConfig, data: TrainingData): ProfileInputs {
  const { source, target, hash, firstBatch } = data;
  return {
    vocabulary: { source: source.size, target: target.size },
    dataHash: hash,
    firstBatch: () => firstBatch(train.maxTokens),
  };
}

function warnIfUnused({ model }: Config): void {
  if (!hasOmega(model)) {
    log.warn(
      `model.residual is ${model.residual}, which has no ω: this is the profile of the same model under ${profiledAs(model)}, and train will not use it.`,
    );
  } else if (model.omega.init === 'analytic') {
    log.warn('model.omega.init is analytic: train will not use the profile.');
  }
}

/**
 * The initial ω of a model that has ω with `omega.init: profiled`, null for every other model: from the
 * file that the config names, else from the profile in the run directory, which is made where it is missing or is of
 * another model, other data or another seed.
 *
 * @throws UserError for a profile that is damaged or of another shape
 */
export async function ensureProfile(
  config: SettledConfig,
  inputs: ProfileInputs,
): Promise<OmegaValues | null> {
  const { omega } = config.model;
  if (!hasOmega(config.model) || omega.init !== 'profiled') return null;
  if (omega.profile !== null) {
    log.info(`ω from ${omega.profile}`);
    return readOmega(omega.profile, config.model);
  }
  const { saveDir } = config.train;
  const file = path.join(saveDir, PROFILE_FILE);
  if (existsSync(file)) {
    const profile = readProfile(file);
    const change = findChange(profile, originOf(config, inputs));
    if (change === undefined) {
      log.info(`ω from ${file}`);
      return omegaOf(profile.sublayers);
    }
    log.info(`${file} is of ${change}; it is made anew.`);
  }
  return omegaOf(await makeProfile(config, inputs, saveDir));
}

/** What has changed since a profile was made, in words. */
function findChange(found: ProfileOrigin, wanted: ProfileOrigin): string | undefined {
  if (found.modelHash !== wanted.modelHash) return 'another model';
  if (found.dataHash !== wanted.dataHash) return 'other data';
  if (found.seed !== wanted.seed) return `seed ${found.seed}`;
  return undefined;
}

/** Everything that the numbers of a profile depend on. */
function originOf({ model, data, train, seed }: SettledConfig, { dataHash }: ProfileInputs): ProfileOrigin {
  const { omega, residual, ...rest } = model;
  const profiled = profiledAs(model);
  const modelHash = canonicalHash({
    ...rest,
    ...(profiled !== DEFAULT_RESIDUAL && { residual: profiled }),
    bpeDropout: data.bpeDropout,
    maxTokens: train.maxTokens,
    ...(train.batchBy !== 'tokens' && { batchBy: train.batchBy }),
    ...(omega.asOfficial && { asOfficial: true }),
  });
  return { modelHash, dataHash, seed };
}

/** How much of what is profiled is padding. */
function describePadding(batch: Batch): string {
  const { source, targetInput } = withPadding(batch, PADDING_INDEX);
  const shares = [source, targetInput].map(({ tokens, padding }) => padding!.at(-1)! / tokens.length);
  const [ofSource, ofTarget] = shares.map((share) => `${Math.round(100 * share)} %`);
  return `padding counted: ${ofSource} of the source, ${ofTarget} of the target`;
}

/** Profiles and writes both files. */
async function makeProfile(
  config: SettledConfig,
  inputs: ProfileInputs,
  folder: string,
): Promise<ProfiledSublayer[]> {
  const batch = inputs.firstBatch();
  const { length } = batch.indices;
  const padding = config.model.omega.asOfficial ? `, ${describePadding(batch)}` : '';
  log.info(
    `Profiling on the first batch: ${length} pairs, ${batch.targetOutput.length} target tokens${padding}`,
  );
  const sublayers = await profileOmega(config.model, inputs.vocabulary, batch, config.seed);
  const file = path.join(folder, PROFILE_FILE);
  writeProfile(file, config.model, sublayers, originOf(config, inputs));
  writeOfficialProfile(path.join(folder, OFFICIAL_PROFILE_FILE), sublayers);
  log.info(`Wrote ${file} and ${OFFICIAL_PROFILE_FILE}`);
  return sublayers;
}
