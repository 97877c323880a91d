import { existsSync } from 'node:fs';
import * as path from 'node:path';
import { expectedSum, readChecksums } from '../common/checksums.js';
import { DamageError, UserError } from '../common/errors.js';
import type { GrownSum } from '../common/growing-sum.js';
import type { ModelConfig } from '../config/schema.js';
import type { LaidOut, NamedArray } from '../formats/safetensors.js';
import { readWeights } from '../formats/weights-file.js';
import { Transformer, type VocabularySizes } from '../model/transformer.js';
import type { Moments } from '../ops/optimizer.js';
import { lentValues, ownValues } from '../ops/reading.js';
import { tf } from '../ops/tf.js';
import { type Continuation, checkOrigin } from './check-origin.js';
import { EMA_FILE, MODEL_FILE, STATE_FILE } from './checkpoint-folders.js';
import type { CheckpointImage } from './checkpoint-job.js';
import { METRICS_FILE } from './metrics-log.js';
import { formatStateFile, readStateFile, type StateFile } from './state.js';

export const OPTIMIZER_FILE = 'optimizer.safetensors';
/** Names of the moments in the optimizer's file, as PyTorch's optimizers have them. */
export const MOMENT_NAMES = { first: 'exp_avg', second: 'exp_avg_sq' } as const;

/** What a checkpoint is made of, on the device. */
export interface Capturable extends StateFile {
  model: Transformer;
  moments: Moments;
  /** The moving average of the weights, where there is one. */
  ema?: Transformer;
}

/** The tensors of a checkpoint by file, in the order in which they are written. */
function tensorsOf({ model, moments, ema }: Capturable): [string, ReadonlyMap<string, tf.Tensor>][] {
  return [
    [MODEL_FILE, model.weights],
    [OPTIMIZER_FILE, momentsByName(model, moments)],
    ...(ema === undefined ? [] : [[EMA_FILE, ema.weights] as [string, ReadonlyMap<string, tf.Tensor>]]),
  ];
}

/** What a checkpoint holds, as it stands now, without values. */
export function imageOf(capturable: Capturable): CheckpointImage {
  const { model, moments, ema, ...content } = capturable;
  const files = tensorsOf(capturable).map(([name, tensors]) => [
    name,
    [...tensors].map(([of, { shape }]): LaidOut => ({ name: of, shape, type: 'F32' })),
  ]);
  return {
    files: Object.fromEntries(files),
    state: formatStateFile(content),
    updates: content.state.updates,
  };
}

/**
 * The values of a checkpoint, tensor by tensor. Nothing may be computed until the last one is there.
 *
 * @param read of a tensor: lent, good until the next is asked for; or of their own
 */
export async function* valuesOf(
  capturable: Capturable,
  read: (tensor: tf.Tensor) => Promise<Float32Array> = lentValues,
): AsyncGenerator<Float32Array, void, undefined> {
  for (const [, tensors] of tensorsOf(capturable)) for (const tensor of tensors.values()) yield read(tensor);
}

/** The same, copied: nothing that training does afterwards changes them. */
export async function copiedValues(capturable: Capturable): Promise<Float32Array[]> {
  const copies: Float32Array[] = [];
  for await (const values of valuesOf(capturable, ownValues)) copies.push(values);
  return copies;
}

/** A model with its optimizer where a checkpoint left them. The caller owns model and moments. */
export interface RestoredCheckpoint extends StateFile {
  model: Transformer;
  moments: Moments;
  /** The moving average of the weights, where the checkpoint has one. */
  ema?: Transformer;
  /** What the metrics were at that point, where the checkpoint says so. */
  metrics?: GrownSum;
}

/**
 * Reads a checkpoint to go on from.
 *
 * @param next what training is about to go on with
 * @param freeze patterns of names that are not trained
 * @throws DamageError when a file is missing, or is not as it was written; UserError when the checkpoint is of another
 *   vocabulary, dataset, config or shape
 */
export function readCheckpoint(
  folder: string,
  config: ModelConfig,
  vocabulary: VocabularySizes,
  next: Continuation,
  freeze: readonly string[] = [],
): RestoredCheckpoint {
  checkPresence(folder);
  const state = path.join(folder, STATE_FILE);
  const content = readStateFile(state, expectedSum(folder, STATE_FILE));
  checkOrigin(content.origin, next, folder, state);
  const read = (name: string): Transformer => {
    const file = path.join(folder, name);
    return Transformer.fromWeights(config, vocabulary, readWeights(folder, name), file, freeze);
  };
  const model = read(MODEL_FILE);
  let ema: Transformer | undefined;
  try {
    if (existsSync(path.join(folder, EMA_FILE))) ema = read(EMA_FILE);
    const metrics = readChecksums(folder)?.beside?.[METRICS_FILE];
    return { ...content, model, moments: readMoments(folder, model), ema, metrics };
  } catch (error) {
    model.dispose();
    ema?.dispose();
    throw error;
  }
}

/** Checks that all files of a checkpoint are there. @throws DamageError naming the first that is not */
export function checkPresence(folder: string): void {
  if (!existsSync(folder)) {
    throw new DamageError({
      problem: 'expected a checkpoint, found none',
      where: folder,
      hint: 'The checkpoint was moved or deleted. Point checkpoint_last to another one, or start with --restart.',
    });
  }
  const named = Object.keys(readChecksums(folder)?.files ?? {});
  for (const name of new Set([STATE_FILE, MODEL_FILE, OPTIMIZER_FILE, ...named])) {
    const where = path.join(folder, name);
    if (existsSync(where)) continue;
    const hint = 'The checkpoint is incomplete. Go on from another one, or start with --restart.';
    throw new DamageError({ problem: 'no such file or directory', where, hint });
  }
}

function momentsByName(model: Transformer, moments: Moments): Map<string, tf.Tensor> {
  const names = trainableNames(model);
  return new Map(
    (['first', 'second'] as const).flatMap((kind) =>
      names.map((name, i): [string, tf.Tensor] => [`${MOMENT_NAMES[kind]}.${name}`, moments[kind][i]]),
    ),
  );
}

function trainableNames(model: Transformer): string[] {
  return [...model.weights].filter(([, { trainable }]) => trainable).map(([name]) => name);
}

/**
 * The moments of the weights that a model trains. The caller owns them.
 *
 * @throws UserError where the checkpoint lacks some
 */
export function readMoments(folder: string, model: Transformer): Moments {
  const file = path.join(folder, OPTIMIZER_FILE);
  const tensors = readWeights(folder, OPTIMIZER_FILE);
  const read = (kind: keyof Moments): NamedArray[] =>
    trainableNames(model).map((name) => {
      const key = `${MOMENT_NAMES[kind]}.${name}`;
      const { shape } = model.weights.get(name)!;
      const found = tensors.get(key);
      if (found !== undefined && String(found.shape) === String(shape)) return found;
      throw new UserError({
        problem: `expected '${key}' of shape [${shape}], found ${found === undefined ? 'none' : `[${found.shape}]`}`,
        where: file,
        hint: 'The file belongs to another model, or these weights were frozen. Go on from another checkpoint, start with --restart, or leave the optimizer behind: --init-from with --reset-optimizer.',
      });
    });
  const arrays = { first: read('first'), second: read('second') };
  const variables = (list: NamedArray[]): tf.Variable[] =>
    list.map(({ shape, data }) => tf.tidy(() => tf.variable(tf.tensor(data, [...shape], 'float32'), false)));
  return { first: variables(arrays.first), second: variables(arrays.second) };
}
