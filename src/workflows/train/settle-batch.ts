import { existsSync } from 'node:fs';
import type { ChosenBackend, TensorMemory } from '../../backend/init.js';
import { DeviceMemoryError, UserError } from '../../common/errors.js';
import { log } from '../../common/log.js';
import { allowedMemory, formatMemory, isShare, parseMemory } from '../../common/memory-limit.js';
import { camelizeKeys } from '../../config/camel.js';
import { loadRunConfig } from '../../config/load.js';
import { runConfigFile } from '../../config/run-folder.js';
import type { Config, SettledConfig, WrittenConfig } from '../../config/schema.js';
import { lengthsOfEpoch } from '../../data/corpus-mix.js';
import { lengthTable } from '../../data/length-table.js';
import { Transformer } from '../../model/transformer.js';
import { largestThatFits, updateFrequency } from '../../train/batch-size.js';
import { hasCheckpoint } from '../../train/checkpoint-folders.js';
import { cutPairs } from '../../train/split.js';
import { Trial } from '../../train/trial.js';
import { guidanceOf } from '../attention-choice.js';
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
  limitCard(given.config, backend);
  const { maxTokens: asked, batchBy, batchTokens, updateFreq } = given.config.train;
  const maxTokens = asked === 'auto' ? await measureMaxTokens(given.config, data, backend) : asked;
  if (batchTokens === null) return withBatch(given, { maxTokens, updateFreq });
  const { maxPositions } = given.config.model;
  const { seed } = given.config;
  const drawn = lengthsOfEpoch(data.train, { seed, epoch: 1 });
  const cuts = cutPairs('train', drawn, { maxTokens, batchBy, maxPositions });
  const tokens = cuts.targetTokens.reduce((sum, count) => sum + count, 0);
  const found = updateFrequency(batchTokens, tokens, cuts.length);
  const mean = Math.round((found * tokens) / cuts.length);
  log.info(
    `Update: ${found} batches for train.batch-tokens ${batchTokens}, ${mean} target tokens on average`,
  );
  return withBatch(given, { maxTokens, updateFreq: found });
}

/** What a card holds idle is given back before it is more than the config allows. */
function limitCard(config: Config, { memory }: ChosenBackend): void {
  if (memory?.ofCard) memory.limit = memoryLimit(config, memory)?.bytes ?? Infinity;
}

/** A config with a batch size that is settled. */
export function withBatch<N extends number | 'auto'>(
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

/** Memory that training may take, and where that comes from. */
export interface MemoryLimit {
  bytes: number;
  text: string;
}

/** That of a config; null for a share of what a graphics card has, which WebGPU does not tell. */
export function memoryLimit({ train: { memory } }: Config, of: TensorMemory | null): MemoryLimit | null {
  if (isShare(memory) && of?.ofCard) return null;
  const allowed = allowedMemory();
  const bytes = parseMemory(memory, allowed.bytes)!; // the config was checked
  const share = isShare(memory) ? ` of ${formatMemory(allowed.bytes)}, ${allowed.source}` : '';
  return { bytes, text: `${formatMemory(bytes)} (train.memory ${memory}${share})` };
}

async function measureMaxTokens(config: Config, data: TrainingData, backend: ChosenBackend): Promise<number> {
  const memory = tellingMemory(backend);
  const limit = memoryLimit(config, memory) ?? refuseShare(config);
  log.info(`Measuring which batch size fits into ${limit.text} …`);
  const vocabulary = { source: data.source.size, target: data.target.size };
  const trials = new Trials(() => {
    const model = Transformer.create(config.model, vocabulary, config.seed); // ω does not change the memory
    return { model, trial: new Trial(model, { ...trialInputs(config, data), memory }) };
  }, memory);
  try {
    const { train } = data;
    const { maxPositions } = config.model;
    const longest = lengthTable(train).longest(maxPositions, LEAST_TOKENS);
    const most = Math.max(longest, Math.min(config.train.batchTokens ?? MOST_TOKENS, MOST_TOKENS));
    const found = await largestThatFits((maxTokens) => trials.measure(maxTokens), limit.bytes, longest, most);
    if (found.bytes > limit.bytes) throw doesNotFit(found.bytes, limit.text, longest, config);
    log.info(
      `Batch size: max-tokens ${found.maxTokens}, for which training takes ${formatMemory(found.bytes)}`,
    );
    if (memory.ofCard && trials.exhausted) memory.limit = found.bytes; // there is less than was allowed
    return found.maxTokens;
  } finally {
    trials.dispose();
    memory.trim(); // training begins as if nothing had been measured
  }
}

/** A trial, and another one where a card had not enough memory for it. */
class Trials {
  /** Whether that has happened. */
  exhausted = false;
  private readonly begin: () => { model: Transformer; trial: Trial };
  private readonly memory: TensorMemory;
  private current: ReturnType<Trials['begin']> | null = null;

  constructor(begin: () => { model: Transformer; trial: Trial }, memory: TensorMemory) {
    this.begin = begin;
    this.memory = memory;
  }

  /** @returns Infinity where the card has not enough memory */
  async measure(maxTokens: number): Promise<number> {
    try {
      this.current ??= this.begin();
      return await this.current.trial.measure(maxTokens);
    } catch (error) {
      if (!(error instanceof DeviceMemoryError && this.memory.ofCard)) throw error;
      log.info(`The graphics card has not enough memory for max-tokens ${maxTokens}`);
      this.exhausted = true;
      this.dispose();
      await this.memory.restart();
      return Infinity;
    }
  }

  dispose(): void {
    this.current?.trial.dispose();
    this.current?.model.dispose();
    this.current = null;
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
    guidance: guidanceOf(config),
    translate: translates ? validationTrial(config, valid) : undefined,
  };
}

function tellingMemory({ name, memory }: ChosenBackend): TensorMemory {
  if (memory !== null) return memory;
  throw new UserError({
    problem: `auto needs a backend that tells how much memory it takes, native or webgpu; found ${name}`,
    where: 'train.max-tokens',
    hint: 'Set train.max-tokens to a number, or use --backend native.',
  });
}

function refuseShare({ train: { memory } }: Config): never {
  throw new UserError({
    problem: `expected a size such as 8G, since WebGPU does not tell how much memory a graphics card has; found '${memory}'`,
    where: 'train.memory',
    hint: 'Give what training may take of it with --memory, or set train.max-tokens to a number.',
  });
}

function doesNotFit(bytes: number, limit: string, longest: number, { train }: Config): UserError {
  const batches = `batches of ${longest} tokens, the smallest that hold every pair`;
  const smaller = `a smaller model${train.evalBleu ? ', or a smaller decode.batch-size for train.eval-bleu' : ''}`;
  if (bytes === Infinity)
    return new UserError({
      problem: `the graphics card has not enough memory for ${batches}`,
      where: 'train.max-tokens',
      hint: `Take ${smaller}.`,
    });
  const needed = formatMemory(bytes);
  return new UserError({
    problem: `expected at least ${needed}, which training takes with ${batches}; found ${limit}`,
    where: 'train.memory',
    hint: `Allow ${needed} or more, or take ${smaller}.`,
  });
}
