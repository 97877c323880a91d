import { existsSync, realpathSync } from 'node:fs';
import * as path from 'node:path';
import { expectedSum } from '../common/checksums.js';
import { type Complaint, UserError } from '../common/errors.js';
import { sha256File } from '../common/files.js';
import { valueAt } from '../config/paths.js';
import { hasOmega } from '../config/residual-schemes.js';
import type { Config, ModelConfig, WrittenConfig } from '../config/schema.js';
import type { Batch } from '../data/batch.js';
import { Dictionary } from '../data/dictionary.js';
import { readWeights } from '../formats/weights-file.js';
import { growWeights, profileNewOmega, setNewOmega } from '../model/grow.js';
import { analyticOmega, type OmegaValues } from '../model/omega.js';
import { readOmega } from '../model/profile-file.js';
import { STACKS } from '../model/scheme.js';
import { Transformer, type VocabularySizes } from '../model/transformer.js';
import type { Moments } from '../ops/optimizer.js';
import { isAverage, readAverage } from './average.js';
import { type Continuation, short } from './check-origin.js';
import { readMoments } from './checkpoint.js';
import { IMPORT_FILE, MODEL_FILE, refuseReduced, STATE_FILE } from './checkpoint-folders.js';
import { EMPTY_SUMS } from './meter.js';
import {
  INITIAL_STATE,
  type InitialWeights,
  readStateFile,
  type StateFile,
  type TrainState,
} from './state.js';

/** A trained model that another training starts with. */
export interface SourceModel {
  /** The checkpoint or average. */
  folder: string;
  runDirectory: string;
  /** Of its run. */
  written: WrittenConfig;
}

/** Where a training starts that is not from scratch. The caller owns model and moments. */
export interface InitialModel {
  model: Transformer;
  state: TrainState;
  /** None where the optimizer is reset. */
  moments?: Moments;
  initFrom: InitialWeights;
}

/** What training starts on. */
export interface Surroundings {
  next: Continuation;
  vocabulary: VocabularySizes;
  firstBatch: () => Batch;
}

/** Settings of a model that its weights hold for alone; learned positions also fix their number. */
const FIXED = [
  'model.residual',
  'model.embed-dim',
  'model.ffn-embed-dim',
  'model.attention-heads',
  'model.activation-fn',
  'model.positions',
  'model.share-embeddings',
  'model.scale-embeddings',
  'model.output-bias',
  'model.decoder-start',
  'model.right-to-left',
];

/** Settings that a position in the data means something under. */
const ORDERING = ['seed', 'train.max-tokens', 'train.batch-by', 'model.max-positions'];

/**
 * Checks that the model of a config can start with the weights of another.
 *
 * @throws UserError with everything that differs
 */
export function checkArchitecture(source: SourceModel, written: WrittenConfig): void {
  const { folder, written: found, runDirectory } = source;
  const complaints: Complaint[] = differences(FIXED, found, written).map(({ key, before, now }) => ({
    problem: `expected ${key} ${before}, as the model in ${folder} has it; found ${now}`,
  }));
  const grown = depthComplaint(source, written);
  if (grown !== undefined) complaints.push(grown);
  if (complaints.length === 0) return;
  const hint = `Its settings are in ${runDirectory}/config.yaml, which can be given as the first config.`;
  throw new UserError([...complaints.slice(0, -1), { hint, ...complaints.at(-1)! }]);
}

function depthComplaint(
  { folder, written: found }: SourceModel,
  written: WrittenConfig,
): Complaint | undefined {
  const [before, now] = [found.model, written.model];
  const more = STACKS.map((stack) => now[stack].layers - before[stack].layers);
  if (more.every((layers) => layers === 0)) return undefined;
  const shallower = more.some((layers) => layers < 0);
  if (!shallower && written.train.grow !== 'none') return undefined;
  return {
    problem: `the model in ${folder} has ${describeShape(before)}, the config asks for ${describeShape(now)}`,
    where: 'model',
    hint: shallower
      ? 'Models grow and do not shrink.'
      : 'To start a deeper model with it: --grow stack or --grow top.',
  };
}

const describeShape = (model: WrittenConfig['model']): string =>
  `${model.encoder.layers} + ${model.decoder.layers} layers of width ${model['embed-dim']}`;

function differences(
  keys: readonly string[],
  before: WrittenConfig,
  now: WrittenConfig,
): { key: string; before: unknown; now: unknown }[] {
  return keys
    .map((key) => ({ key, before: valueAt(before, key), now: valueAt(now, key) }))
    .filter((entry) => entry.before !== entry.now);
}

/**
 * Reads the weights that training starts with and, where the config does not reset it, the rest of the state.
 *
 * @throws UserError where they do not fit model, vocabulary or data; DamageError where they are not as they were written
 */
export async function initFrom(
  source: SourceModel,
  config: Config,
  around: Surroundings,
): Promise<InitialModel> {
  const { folder } = source;
  const { freeze, resetOptimizer } = config.train;
  refuseReduced(folder);
  const stateFile = path.join(folder, STATE_FILE);
  const alone = isAverage(folder) || isImported(folder);
  const content = alone ? undefined : readStateFile(stateFile, expectedSum(folder, STATE_FILE));
  checkVocabulary(source, content?.origin.vocabulary ?? vocabularyOf(source), config, around);
  checkKept(source, content, config, around.next);
  const file = path.join(folder, MODEL_FILE);
  const sum = expectedSum(folder, MODEL_FILE);
  const model = await readModel(source, file, config, around, freeze);
  try {
    return {
      model,
      state: startingState(content?.state ?? INITIAL_STATE, config.train),
      moments: resetOptimizer ? undefined : readMoments(folder, model),
      initFrom: {
        path: realpathSync(folder),
        updates: content?.state.updates ?? null,
        sha256: sum?.sha256 ?? sha256File(file),
      },
    };
  } catch (error) {
    model.dispose();
    throw error;
  }
}

/** Whether a folder has the weights of another program, which are no checkpoint of a training. */
const isImported = (folder: string): boolean => existsSync(path.join(folder, IMPORT_FILE));

/** The dictionaries of weights that no training state tells about. */
function vocabularyOf({ folder, runDirectory, written: { data } }: SourceModel): Continuation['vocabulary'] {
  if (isAverage(folder)) return readAverage(folder).origin.vocabulary;
  const languages = [data['source-lang'], data['target-lang']];
  return Object.fromEntries(
    languages.map((language) => {
      const name = `dict.${language}.txt`;
      const { size, hash } = Dictionary.load(path.join(runDirectory, name), expectedSum(runDirectory, name));
      return [language, { size, hash }];
    }),
  );
}

/** The two sides are compared, whatever their languages are called. */
function checkVocabulary(
  { runDirectory, written }: SourceModel,
  found: Continuation['vocabulary'],
  { data }: Config,
  { next }: Surroundings,
): void {
  const sides = [
    [written.data['source-lang'], data.sourceLang],
    [written.data['target-lang'], data.targetLang],
  ];
  const complaints = sides.flatMap(([before, now]): Complaint[] => {
    const [expected, actual] = [found[before], next.vocabulary[now]];
    if (expected?.hash === actual.hash) return [];
    const of = expected === undefined ? 'unknown' : `${expected.size} symbols (${short(expected.hash)})`;
    const problem = `expected the ${before} dictionary of ${runDirectory}, ${of}; found one of ${actual.size} symbols (${short(actual.hash)})`;
    return [{ problem, where: path.join(data.destdir, `dict.${now}.txt`) }];
  });
  if (complaints.length === 0) return;
  const hint = `Prepare the text with the tokenizer and the dictionaries of the model: --vocabulary-from ${runDirectory}, and --destdir with a folder for it.`;
  throw new UserError([...complaints.slice(0, -1), { ...complaints.at(-1)!, hint }]);
}

/** Checks that what is not reset is there, and means something here. */
function checkKept(
  { folder, written: before }: SourceModel,
  content: StateFile | undefined,
  { train, seed, model }: Config,
  { dataHash }: Continuation,
): void {
  const resets = [
    ['reset-optimizer', train.resetOptimizer],
    ['reset-scheduler', train.resetScheduler],
    ['reset-best', train.resetBest],
    ['reset-data', train.resetData],
  ] as const;
  const kept = resets.flatMap(([name, reset]) => (reset ? [] : [name]));
  if (content === undefined && kept.length > 0) {
    throw new UserError({
      problem: `expected a checkpoint of training for ${kept.map((name) => `--no-${name}`).join(' ')}, found ${isAverage(folder) ? 'an average' : 'an imported model'}, which has weights alone`,
      where: folder,
      hint: 'Leave these out, or start from a numbered checkpoint.',
    });
  }
  if (content === undefined || train.resetData) return;
  const hint = 'A position in other data means nothing: leave --no-reset-data out.';
  if (content.origin.dataHash !== dataHash) {
    const problem = `expected the training split ${short(content.origin.dataHash)}, found ${short(dataHash)}`;
    throw new UserError({ problem, where: folder, hint });
  }
  const values: Record<string, unknown> = {
    seed,
    'train.max-tokens': train.maxTokens,
    'train.batch-by': train.batchBy,
    'model.max-positions': model.maxPositions,
  };
  const other = ORDERING.filter((key) => valueAt(before, key) !== values[key]);
  if (other.length === 0) return;
  const list = other.map((key) => `${key} ${valueAt(before, key)}, found ${values[key]}`).join('; ');
  throw new UserError({ problem: `expected the order of the data of before: ${list}`, where: folder, hint });
}

async function readModel(
  { written }: SourceModel,
  file: string,
  config: Config,
  { vocabulary, firstBatch }: Surroundings,
  freeze: readonly string[],
): Promise<Transformer> {
  const tensors = readWeights(path.dirname(file), MODEL_FILE);
  const { model: wanted, seed } = config;
  const { grow } = config.train;
  const { encoder, decoder } = written.model;
  const depth = { encoder, decoder };
  const deeper = wanted.encoder.layers > encoder.layers || wanted.decoder.layers > decoder.layers;
  if (!deeper || grow === 'none') return Transformer.fromWeights(wanted, vocabulary, tensors, file, freeze);
  const weights = growWeights(tensors, depth, grow, { config: wanted, vocabulary, seed });
  const model = Transformer.fromWeights(wanted, vocabulary, weights, file, freeze);
  if (hasOmega(wanted)) {
    const given = givenOmega(wanted);
    setNewOmega(model, depth, given ?? (await profileNewOmega(model, depth, firstBatch(), seed)));
  }
  return model;
}

/** ω that needs no profile: by formula, or from a file. */
function givenOmega(model: ModelConfig): OmegaValues | undefined {
  if (model.omega.init === 'analytic') return analyticOmega(model);
  return model.omega.profile === null ? undefined : readOmega(model.omega.profile, model);
}

/** A state with all that is reset as at the very start. What counts updates or seconds goes with those it counts. */
export function startingState(from: TrainState, resets: Config['train']): TrainState {
  const { resetOptimizer, resetScheduler, resetBest, resetData } = resets;
  const updates = resetScheduler ? 0 : from.updates;
  const steps = resetOptimizer ? 0 : from.updates + from.optimizerAhead;
  const { bests, validationsSinceBest } = resetBest ? INITIAL_STATE : from;
  const { epoch, position } = resetData ? INITIAL_STATE : from;
  return {
    epoch,
    position,
    updates,
    optimizerAhead: steps - updates,
    seconds: resetScheduler ? 0 : from.seconds,
    validatedAt: resetScheduler || resetBest ? 0 : from.validatedAt,
    validatedSeconds: resetScheduler || resetBest ? 0 : from.validatedSeconds,
    bests,
    validationsSinceBest,
    meter: resetScheduler || resetData ? EMPTY_SUMS : from.meter,
    doctor: resetScheduler || resetData ? INITIAL_STATE.doctor : { ...from.doctor, good: null },
  };
}
