import { existsSync } from 'node:fs';
import type { ChosenBackend, TensorMemory } from '../../backend/init.js';
import { UserError } from '../../common/errors.js';
import { log } from '../../common/log.js';
import { allowedMemory, formatMemory, parseMemory } from '../../common/memory-limit.js';
import { camelizeKeys } from '../../config/camel.js';
import { loadRunConfig } from '../../config/load.js';
import { runConfigFile } from '../../config/run-folder.js';
import type { Config, SettledConfig, WrittenConfig } from '../../config/schema.js';
import { Transformer } from '../../model/transformer.js';
import { largestThatFits, updateFrequency } from '../../train/batch-size.js';
import { hasCheckpoint } from '../../train/checkpoint-folders.js';
import { firstEpoch, planPairs } from '../../train/split.js';
import { Trial } from '../../train/trial.js';
import type { TrainingData } from './data.js';
import { validationTrial } from './validation-translator.js';

/** The largest batch that `auto` takes, so that on a large machine an epoch is more than a few updates. */
const MOST_TOKENS = 2 ** 16;
/** The smallest: below it a batch is hardly faster than its pairs one by one. */
const LEAST_TOKENS = 64;

/** A config and how it is written. */
export interface Configured<C extends Config = Config> {
  config: C;
  written: WrittenConfig;
}

/** A config that leaves nothing about the batch size open, as the run directory records it. */
export type Settled = Configured<SettledConfig>;

/** What a run directory has recorded stands in for what the config leaves open, so that the run goes on as it began. */
export function takeRecorded(given: Configured): Configured {
  const { maxTokens, batchTokens, saveDir } = given.config.train;
  if ((maxTokens !== 'auto' && batchTokens === null) || !hasCheckpoint(saveDir)) return given;
  if (!existsSync(runConfigFile(saveDir))) return given;
  const { train } = loadRunConfig(saveDir).config;
  const recorded = {
    maxTokens: maxTokens === 'auto' ? train.maxTokens : maxTokens,
    updateFreq: batchTokens === null ? given.config.train.updateFreq : train.updateFreq,
  };
  log.info(
    `Batch size as this run began: max-tokens ${recorded.maxTokens}, update-freq ${recorded.updateFreq}`,
  );
  return withBatch(given, recorded);
}

/**
 * Finds the batch size that the config leaves open: `max-tokens: auto` by measuring, then the update-freq that
 * `batch-tokens` asks for.
 *
 * @throws UserError where not even the longest pair fits, or the backend does not tell its memory
 */
export async function settleBatch(
  given: Configured,
  data: TrainingData,
  backend: ChosenBackend,
): Promise<Settled> {
  const { maxTokens: asked, batchTokens, updateFreq } = given.config.train;
  const maxTokens = asked === 'auto' ? await measureMaxTokens(given.config, data, backend) : asked;
  if (batchTokens === null) return withBatch(given, { maxTokens, updateFreq });
  const { maxPositions } = given.config.model;
  const options = firstEpoch({ maxTokens, maxPositions, seed: given.config.seed });
  const { batches } = planPairs('train', data.train, options);
  const tokens = batches.flatMap((batch) => [...batch]).reduce((n, i) => n + data.train.targetLengths[i], 0);
  const found = updateFrequency(batchTokens, tokens, batches.length);
  const mean = Math.round((found * tokens) / batches.length);
  log.info(
    `Update: ${found} batches for train.batch-tokens ${batchTokens}, ${mean} target tokens on average`,
  );
  return withBatch(given, { maxTokens, updateFreq: found });
}

function withBatch<N extends number | 'auto'>(
  { config, written }: Configured,
  { maxTokens, updateFreq }: { maxTokens: N; updateFreq: number },
): Configured<Config & { train: { maxTokens: N } }> {
  const keys = { 'max-tokens': maxTokens, 'update-freq': updateFreq, 'batch-tokens': null } as const;
  return {
    config: { ...config, train: { ...config.train, ...camelizeKeys(keys) } } as Config & {
      train: { maxTokens: N };
    },
    written: { ...written, train: { ...written.train, ...keys } },
  };
}

/** The memory that training may take, and where that comes from. */
export function memoryLimit({ train: { memory } }: Config): { bytes: number; text: string } {
  const allowed = allowedMemory();
  const bytes = parseMemory(memory, allowed.bytes)!; // the config was checked
  const of = memory.endsWith('%') ? ` of ${formatMemory(allowed.bytes)}, ${allowed.source}` : '';
  return { bytes, text: `${formatMemory(bytes)} (train.memory ${memory}${of})` };
}

async function measureMaxTokens(config: Config, data: TrainingData, backend: ChosenBackend): Promise<number> {
  const memory = tellingMemory(backend);
  const limit = memoryLimit(config);
  log.info(`Measuring which batch size fits into ${limit.text} …`);
  const vocabulary = { source: data.source.size, target: data.target.size };
  const model = Transformer.create(config.model, vocabulary, config.seed); // ω does not change the memory
  const trial = new Trial(model, { ...trialInputs(config, data), memory });
  try {
    const { train } = data;
    const { maxPositions } = config.model;
    const longest = [train.sourceLengths, train.targetLengths]
      .flatMap((lengths) => [...lengths])
      .reduce((most, length) => (length <= maxPositions ? Math.max(most, length) : most), LEAST_TOKENS);
    const most = Math.max(longest, Math.min(config.train.batchTokens ?? MOST_TOKENS, MOST_TOKENS));
    const found = await largestThatFits((maxTokens) => trial.measure(maxTokens), limit.bytes, longest, most);
    if (found.bytes > limit.bytes) throw doesNotFit(found.bytes, limit.text, longest, config);
    log.info(
      `Batch size: max-tokens ${found.maxTokens}, for which training takes ${formatMemory(found.bytes)}`,
    );
    return found.maxTokens;
  } finally {
    trial.dispose();
    model.dispose();
    memory.trim(); // training begins as if nothing had been measured
  }
}

/** What a trial needs of a config and its data. */
export function trialInputs(config: Config, { train, valid, resegment }: TrainingData) {
  const translates = config.train.evalBleu && valid !== null;
  return {
    config: config.train,
    seed: config.seed,
    maxPositions: config.model.maxPositions,
    train,
    resegment,
    translate: translates ? validationTrial(config, valid) : undefined,
  };
}

function tellingMemory({ name, memory }: ChosenBackend): TensorMemory {
  if (memory !== null) return memory;
  throw new UserError({
    problem: `auto needs the native backend, which tells how much memory it takes; found ${name}`,
    where: 'train.max-tokens',
    hint: 'Set train.max-tokens to a number, or use --backend native.',
  });
}

function doesNotFit(bytes: number, limit: string, longest: number, { train }: Config): UserError {
  const needed = formatMemory(bytes);
  return new UserError({
    problem: `expected at least ${needed}, which training takes with batches of ${longest} tokens, the smallest that hold every pair; found ${limit}`,
    where: 'train.memory',
    hint: `Allow ${needed} or more, or take a smaller model${train.evalBleu ? ', or a smaller decode.batch-size for train.eval-bleu' : ''}.`,
  });
}
