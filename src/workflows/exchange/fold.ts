import * as path from 'node:path';
import { initBackend } from '../../backend/init.js';
import { log } from '../../common/log.js';
import { camelizeKeys } from '../../config/camel.js';
import { type Config, configSchema, type WrittenConfig } from '../../config/schema.js';
import { ParallelDataset } from '../../data/parallel-dataset.js';
import { readLines } from '../../data/text-source.js';
import { type CheckpointLocation, locateCheckpoint, WEIGHTS_FILE } from '../../decode/checkpoint-location.js';
import { compareLogProbs, type IdPair, translateIds } from '../../decode/compare-models.js';
import { loadCodec, loadModel } from '../../decode/load-model.js';
import { readWeights } from '../../formats/weights-file.js';
import { type FoldedModel, foldOmega } from '../../model/fold.js';
import { checkWeights, type Transformer } from '../../model/transformer.js';
import { checkFree, writeModelRun } from './model-run.js';

export interface FoldOptions {
  /** The config of the run, with what the command line changes in `decode`. */
  config: Config;
  written: WrittenConfig;
  /** The run directory to write. */
  output: string;
  checkpoint?: string;
  /** Text to compare the two models on; by default the validation split of the dataset of the run. */
  verify?: string;
}

/** Log-probabilities that are farther apart, in nats, are no matter of rounding. */
const TOLERANCE = 0.01;

/**
 * `admin-nmt fold`: an Admin model → a run directory with a Post-LN model of the same function. What is written is
 * read again and compared with the Admin model before it takes its place.
 *
 * @param run a run directory, or a checkpoint in one
 * @throws UserError for what the user can mend; nothing is then written
 */
export async function fold(run: string, options: FoldOptions): Promise<void> {
  const { config, written, output } = options;
  const location = locateCheckpoint(run, options.checkpoint);
  checkFree(output);
  const sample = await sampleOf(location, config, options.verify);
  const { weights, ...folded } = readAndFold(location, config);
  const backend = await initBackend(config.backend, config.threads, config.gpu);
  log.info(`Backend: ${backend.name} (${backend.reason})`);
  log.info(`Model: ${location.checkpoint}`);
  for (const line of describe(folded, config)) log.info(line);
  const result = {
    command: 'fold' as const,
    written: foldedConfig(written, folded.config, output),
    data: { ...config.data, destdir: location.runDirectory },
    weights,
    origin: { model: path.resolve(location.checkpoint) },
  };
  await writeModelRun(output, result, (place) => prove(location, place, config, result.written, sample));
  log.info(`Model: ${output}, plain Post-LN`);
  log.info(`To translate: admin-nmt translate ${output} --input FILE`);
}

/** Folds the weights of a checkpoint. @throws UserError naming the file, for weights that are not those of the config */
export function readAndFold({ runDirectory, checkpoint }: CheckpointLocation, config: Config): FoldedModel {
  const { vocabulary } = loadCodec(runDirectory, config.data);
  const file = path.join(checkpoint, WEIGHTS_FILE);
  const tensors = readWeights(checkpoint, WEIGHTS_FILE);
  checkWeights(config.model, vocabulary, tensors, file);
  return foldOmega(config.model, tensors);
}

function foldedConfig(
  written: WrittenConfig,
  { residual, shareEmbeddings, positions }: Config['model'],
  saveDir: string,
) {
  const model = {
    ...written.model,
    residual,
    omega: configSchema.parse({}).model.omega,
    'share-embeddings': shareEmbeddings,
    positions,
  };
  return { ...written, model, train: { ...written.train, 'save-dir': saveDir } };
}

function describe({ config, small }: Omit<FoldedModel, 'weights'>, { model }: Config): string[] {
  const lines = small.map(
    ({ name, components, least }) =>
      `${name}: ${components} of ${model.embedDim} components are near zero, the least ${least.toExponential(1)}: columns of what reads it are large; do not quantise it to few bits`,
  );
  if (config.shareEmbeddings === model.shareEmbeddings && config.positions === model.positions) return lines;
  const { embedDim, maxPositions } = config;
  return [
    ...lines,
    `The first ω of a stack is in its embeddings and positions: share-embeddings ${model.shareEmbeddings} → ${config.shareEmbeddings}, positions ${model.positions} → ${config.positions} (${maxPositions} × ${embedDim} for each stack)`,
  ];
}

/** What the models are compared on: pairs of a dataset, or text to translate. */
type Sample = { pairs: IdPair[]; from: string } | { sources: Int32Array[]; from: string } | null;

async function sampleOf(
  { runDirectory }: CheckpointLocation,
  { data, model: { maxPositions } }: Config,
  file?: string,
): Promise<Sample> {
  const { destdir, sourceLang, targetLang } = data;
  if (file !== undefined) {
    const { codec } = loadCodec(runDirectory, data);
    const sources: Int32Array[] = [];
    for await (const line of readLines(file)) sources.push(codec.encode(line));
    return { sources: sources.filter(({ length }) => length > 0 && length <= maxPositions), from: file };
  }
  if (!ParallelDataset.exists(destdir, 'valid', sourceLang, targetLang)) return null;
  const split = ParallelDataset.open(destdir, 'valid', sourceLang, targetLang);
  try {
    const pairs = Array.from({ length: split.size }, (_, i) => split.pair(i));
    const short = pairs.filter(
      ({ source, target }) => Math.max(source.length, target.length) <= maxPositions,
    );
    return { pairs: short, from: `the validation split in ${destdir}` };
  } finally {
    split.close();
  }
}

/** Compares the model of a run directory just written with the one it was made of, and says what was found. */
async function prove(
  location: CheckpointLocation,
  place: string,
  config: Config,
  written: WrittenConfig,
  sample: Sample,
): Promise<void> {
  if (sample === null) {
    log.warn('not compared with the Admin model: the dataset of the run has no validation split here');
    log.warn('give text to translate with --verify FILE');
    return;
  }
  const { vocabulary } = loadCodec(location.runDirectory, config.data);
  const admin = loadModel(location, config, vocabulary);
  let folded: Transformer | undefined;
  try {
    const foldedSide = { ...config, model: camelizeKeys(written).model };
    folded = loadModel(locateCheckpoint(place), foldedSide, vocabulary);
    const pairs = 'pairs' in sample ? sample.pairs : await compareTranslations(admin, folded, config, sample);
    const { tokens, ofTarget, ofAny } = await compareLogProbs(admin, folded, pairs);
    log.info(
      `Log-probabilities of ${tokens} tokens of ${sample.from} differ by at most ${ofTarget.toExponential(1)}, those of all entries of the vocabulary by at most ${ofAny.toExponential(1)}`,
    );
    if (!(ofAny <= TOLERANCE)) {
      throw new Error(
        `expected log-probabilities of the same function, found a difference of ${ofAny}; nothing was written`,
      );
    }
  } finally {
    admin.dispose();
    folded?.dispose();
  }
}

/** Translates with both models and counts what is the same. @returns sentences and their translations by the first */
async function compareTranslations(
  admin: Transformer,
  folded: Transformer,
  { decode, model: { maxPositions } }: Config,
  { sources, from }: { sources: Int32Array[]; from: string },
): Promise<IdPair[]> {
  const options = { ...decode, maxPositions };
  const first = await translateIds(admin, sources, options);
  const second = await translateIds(folded, sources, options);
  const same = first.filter((ids, i) => String(ids) === String(second[i])).length;
  log.info(`Translations of ${from} at beam ${decode.beam}: ${same} of ${sources.length} are identical`);
  return sources.map((source, i) => ({ source, target: first[i] }));
}
