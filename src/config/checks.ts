import { isDeepStrictEqual } from 'node:util';
import { formatMemory, parseMemory } from '../common/memory-limit.js';
import { figureOf } from '../common/validation-figures.js';
import { camelizeKeys } from './camel.js';
import type { Check } from './check.js';
import { problemOfCorpora } from './corpus-list.js';
import { guidedChecks } from './guided-checks.js';
import { configKeys } from './keys.js';
import { valueAt } from './paths.js';
import type { Config, WrittenConfig } from './schema.js';
import { searchChecks } from './search-checks.js';

/** A broken rule. */
export interface Violation {
  readonly keys: readonly string[];
  readonly problem: string;
  readonly hint: string;
}

const DECAYING = ['linear', 'polynomial', 'cosine'];

const checks: readonly Check[] = [
  {
    keys: ['model.attention-heads', 'model.embed-dim'],
    problem: ({ model }) =>
      model.embedDim % model.attentionHeads === 0
        ? undefined
        : `expected model.embed-dim to be a multiple of model.attention-heads; found ${model.embedDim} and ${model.attentionHeads}`,
    hint: 'Every head gets embed-dim / attention-heads dimensions.',
  },
  {
    keys: ['model.embed-dim', 'model.positions'],
    problem: ({ model }) =>
      model.positions === 'sinusoidal' && model.embedDim % 2 !== 0
        ? `sinusoidal positions need an even model.embed-dim; found ${model.embedDim}`
        : undefined,
    hint: 'Half of the dimensions are sines and half are cosines; or set model.positions to learned.',
  },
  {
    keys: ['model.embed-dim', 'model.ffn-embed-dim', 'model.encoder.layers', 'model.decoder.layers'],
    problem: ({ model }) => {
      const { largest, numbers } = modelSize(model);
      if (largest <= LARGEST_MATRIX && numbers <= LARGEST_MODEL) return undefined;
      const most = largest > LARGEST_MATRIX ? [LARGEST_MATRIX, largest] : [LARGEST_MODEL, numbers];
      const what = largest > LARGEST_MATRIX ? 'matrices' : 'layers';
      const [limit, found] = most.map((count) => formatMemory(4 * count));
      return `expected ${what} of at most ${limit}; found ${found}, in ${model.encoder.layers} + ${model.decoder.layers} layers of width ${model.embedDim} and inner width ${model.ffnEmbedDim}`;
    },
    hint: 'A weight takes 4 bytes, and 16 in training.',
  },
  {
    keys: ['model.share-embeddings', 'data.tokenizer.joint', 'data.prepared'],
    problem: ({ model, data }) =>
      model.shareEmbeddings === 'all' && !data.tokenizer.joint && !data.prepared
        ? 'model.share-embeddings: all needs one dictionary for both languages; found data.tokenizer.joint: false'
        : undefined,
    hint: 'Set model.share-embeddings to decoder or none, or data.tokenizer.joint to true.',
  },
  {
    keys: ['data.tokenizer.vocabulary-threshold', 'data.tokenizer.joint', 'data.tokenizer.model'],
    problem: ({ data: { tokenizer, prepared, vocabularyFrom } }) =>
      tokenizer.vocabularyThreshold > 0 &&
      !tokenizer.joint &&
      tokenizer.model === null &&
      vocabularyFrom === null &&
      !prepared
        ? `data.tokenizer.vocabulary-threshold is for a tokenizer of both languages; found ${tokenizer.vocabularyThreshold} and data.tokenizer.joint: false, with which each has its own`
        : undefined,
    hint: 'Set the threshold to 0: the pieces of a tokenizer of one language are of that language anyway.',
  },
  {
    keys: ['data.target-lang', 'data.source-lang'],
    problem: ({ data }) =>
      data.sourceLang === data.targetLang
        ? `expected two languages; found '${data.sourceLang}' for both data.source-lang and data.target-lang`
        : undefined,
    hint: 'The two name the files of the sides, so they must differ.',
  },
  {
    keys: ['data.train'],
    problem: ({ data }) => problemOfCorpora(data.train),
    hint: 'Give each corpus a name of its own, and how often an epoch has it as a weight or as a repeat.',
  },
  {
    keys: ['data.filter.min-length', 'data.filter.max-length'],
    problem: ({ data: { filter } }) =>
      filter.minLength > filter.maxLength
        ? `expected data.filter.min-length to be at most data.filter.max-length; found ${filter.minLength} and ${filter.maxLength}`
        : undefined,
    hint: 'As it is, no pair would be kept.',
  },
  {
    keys: ['train.memory'],
    problem: ({ train }) =>
      parseMemory(train.memory, 1) === undefined
        ? `train.memory: expected a size such as 8G or 512M, or a share such as 80%; found '${train.memory}'`
        : undefined,
    hint: 'K, M, G and T are powers of 1024; a share is at most 100%.',
  },
  {
    keys: ['train.batch-tokens', 'train.update-freq'],
    problem: ({ train }) =>
      train.batchTokens !== null && train.updateFreq > 1
        ? `train.update-freq follows from train.batch-tokens; found ${train.updateFreq} and ${train.batchTokens}`
        : undefined,
    hint: 'Set train.update-freq to 1, or train.batch-tokens to null.',
  },
  {
    keys: ['train.max-update', 'train.lr-scheduler'],
    problem: ({ train }) =>
      DECAYING.includes(train.lrScheduler) && train.maxUpdate === null
        ? `train.lr-scheduler: ${train.lrScheduler} needs train.max-update, at which the learning rate ends; found null`
        : undefined,
    hint: 'For example --max-update 50000.',
  },
  {
    keys: ['train.warmup-updates', 'train.max-update', 'train.lr-scheduler'],
    problem: ({ train }) =>
      DECAYING.includes(train.lrScheduler) &&
      train.maxUpdate !== null &&
      train.warmupUpdates >= train.maxUpdate
        ? `expected train.warmup-updates to be less than train.max-update; found ${train.warmupUpdates} and ${train.maxUpdate}`
        : undefined,
    hint: 'As it is, the learning rate would have no update left to decay in.',
  },
  {
    keys: ['train.min-lr', 'train.lr'],
    problem: ({ train }) =>
      train.minLr >= train.lr
        ? `expected train.min-lr to be less than train.lr; found ${train.minLr} and ${train.lr}`
        : undefined,
    hint: 'As it is, training would stop as soon as the warmup is over.',
  },
  {
    keys: [
      'train.patience',
      'train.validate-interval',
      'train.validate-interval-updates',
      'train.validate-interval-minutes',
    ],
    problem: ({ train }) =>
      train.patience !== null &&
      train.validateInterval + train.validateIntervalUpdates + train.validateIntervalMinutes === 0
        ? 'train.patience counts validations, and all of train.validate-interval, -updates and -minutes are 0'
        : undefined,
    hint: 'Set one of the intervals, or train.patience to null.',
  },
  {
    keys: ['train.best-checkpoint-metric', 'train.eval-bleu'],
    problem: ({ train }) =>
      figureOf(train.bestCheckpointMetric).translated && !train.evalBleu
        ? `expected train.eval-bleu where the best checkpoint is found by ${train.bestCheckpointMetric}`
        : undefined,
    hint: 'Add --eval-bleu, or choose the checkpoint by loss.',
  },
  {
    keys: ['train.average-last', 'train.keep-last'],
    problem: ({ train }) =>
      train.keepLast > 0 && train.averageLast > train.keepLast
        ? `expected train.keep-last to keep as many checkpoints as train.average-last averages; found ${train.keepLast} and ${train.averageLast}`
        : undefined,
    hint: 'Raise train.keep-last, or set it to 0 to keep all.',
  },
  {
    keys: [
      'train.average-last',
      'train.save-interval',
      'train.save-interval-updates',
      'train.save-interval-minutes',
    ],
    problem: ({ train }) =>
      train.averageLast > 1 &&
      train.saveInterval + train.saveIntervalUpdates + train.saveIntervalMinutes === 0
        ? 'train.average-last averages checkpoints saved on the way, and all of train.save-interval, -updates and -minutes are 0'
        : undefined,
    hint: 'Set one of the intervals, or train.average-last to 0.',
  },
  {
    keys: ['train.average-best', 'train.keep-best'],
    problem: ({ train }) =>
      train.averageBest > train.keepBest
        ? `expected train.keep-best to keep as many checkpoints as train.average-best averages; found ${train.keepBest} and ${train.averageBest}`
        : undefined,
    hint: 'Raise train.keep-best.',
  },
  {
    keys: ['train.validate-weights', 'train.ema-decay'],
    problem: ({ train }) =>
      train.validateWeights === 'ema' && train.emaDecay === null
        ? 'expected train.ema-decay where train.validate-weights is ema, found null'
        : undefined,
    hint: 'Set train.ema-decay, for example to 0.999, or train.validate-weights to live.',
  },
  {
    keys: ['train.grow', 'train.init-from'],
    problem: ({ train }) =>
      train.grow !== 'none' && train.initFrom === null
        ? `train.grow: ${train.grow} needs train.init-from, the model to grow from`
        : undefined,
    hint: 'Set train.init-from to the run directory of a shallower model.',
  },
  {
    keys: ['train.reset-optimizer', 'train.grow'],
    problem: ({ train }) =>
      train.grow !== 'none' && !train.resetOptimizer
        ? `train.grow: ${train.grow} needs train.reset-optimizer: new layers have no moments yet`
        : undefined,
    hint: 'Leave --no-reset-optimizer out.',
  },
  {
    keys: ['decode.nbest', 'decode.beam', 'decode.sampling', 'decode.mbr'],
    problem: ({ decode }) =>
      (!decode.sampling || decode.mbr !== null) && decode.nbest > decode.beam
        ? `expected decode.nbest to be at most decode.beam; found ${decode.nbest} and ${decode.beam}`
        : undefined,
    hint: 'A beam gives at most as many translations as it is wide.',
  },
  ...searchChecks,
  ...guidedChecks,
  {
    keys: ['decode.max-len-b', 'decode.max-len-a', 'decode.min-len'],
    problem: ({ decode }) =>
      decode.maxLenA === 0 && decode.maxLenB < decode.minLen
        ? `expected decode.max-len-b to be at least decode.min-len where max-len-a is 0; found ${decode.maxLenB} and ${decode.minLen}`
        : undefined,
    hint: 'As it is, no translation would be both long and short enough.',
  },
];

/** The engines count the numbers of a tensor in 31 bits. */
const LARGEST_MATRIX = 2 ** 31 - 1;
/** 256 GiB. */
const LARGEST_MODEL = 2 ** 36;

/** Numbers in the largest matrix of a layer, and in those of all layers. */
function modelSize({ embedDim: d, ffnEmbedDim, encoder, decoder }: Config['model']): {
  largest: number;
  numbers: number;
} {
  const [attention, feedForward] = [4 * d * d, 2 * d * ffnEmbedDim];
  return {
    largest: Math.max(3 * d * d, d * ffnEmbedDim), // queries, keys and values are projected at once
    numbers: encoder.layers * (attention + feedForward) + decoder.layers * (2 * attention + feedForward),
  };
}

/** Every broken rule between keys, but those about a key in `skipped`. */
export function findViolations(written: WrittenConfig, skipped: ReadonlySet<string>): Violation[] {
  const config: Config = camelizeKeys(written);
  return checks.flatMap(({ keys, problem, hint }) => {
    if (keys.some((key) => skipped.has(key))) return [];
    const found = problem(config);
    return found === undefined ? [] : [{ keys, problem: found, hint }];
  });
}

/** Keys that are not at their default and yet have no effect, each with the reason. */
export function findIdleKeys(written: WrittenConfig): { key: string; reason: string }[] {
  return [...configKeys.values()].flatMap(({ path, idle = {}, idleTogether = false, fallback }) => {
    const others = Object.keys(idle);
    const causes = others.filter((other) => idle[other].includes(valueAt(written, other)));
    const [cause] = causes;
    if (cause === undefined || (idleTogether && causes.length < others.length)) return [];
    if (isDeepStrictEqual(valueAt(written, path), fallback)) return [];
    return [{ key: path, reason: `${cause} is ${valueAt(written, cause)}` }];
  });
}
