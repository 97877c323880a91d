import { type ChosenBackend, initBackend } from '../../backend/init.js';
import type { Precision } from '../../common/precision.js';
import type { ModelConfig } from '../../config/schema.js';
import type { Batch } from '../../data/batch.js';
import { EOS } from '../../data/dictionary.js';
import { IncrementalDecoder } from '../../model/incremental.js';
import { lossGradients } from '../../model/loss-gradients.js';
import { Transformer } from '../../model/transformer.js';
import { ownValues } from '../../ops/reading.js';
import { tf } from '../../ops/tf.js';
import { MovingAverage } from '../../train/moving-average.js';
import { Updater } from '../../train/update.js';
import {
  type Case,
  DECODING_CASES,
  NON_FINITE_CASES,
  PRODUCT_CASES,
  productsIn,
  type Results,
  TRAINING_CASES,
} from './cases.js';
import { modelConfig, randomBatch, UPDATES } from './models.js';

/** How near a backend comes to the reference. */
export interface Comparison {
  what: string;
  /** Largest difference as a share of the largest expected number; infinite where one is finite and the other is not. */
  error: number;
  /** The most that is right. */
  most: number;
  right: boolean;
}

/** Sums in another order, and functions such as exp as each processor has them. */
const CLOSE = 1e-4;
/** Products of operands with fewer digits; those that are not here are for prepared weights alone. */
const CLOSE_IN: Readonly<Record<string, number>> = { float16: 5e-3, bfloat16: 4e-2 };

/** Updates that are compared. */
const UPDATES_DONE = 2;

const VOCABULARY = 211;
const DROPOUTS = { dropout: 0.1, attentionDropout: 0.2, activationDropout: 0.3 };
const SHAPES: Partial<ModelConfig> = {
  ...{ residual: 'admin', activationFn: 'gelu', ...DROPOUTS },
  ...{ embedDim: 36, ffnEmbedDim: 70, attentionHeads: 3, maxPositions: 128 },
  ...{ encoder: { layers: 1 }, decoder: { layers: 1 } },
};

const newModel = (): Transformer =>
  Transformer.create({ ...modelConfig('tiny'), ...SHAPES }, { source: VOCABULARY, target: VOCABULARY }, 1);

const batchOf = (seed: number): Batch => randomBatch(120, VOCABULARY, seed);

/**
 * Compares a backend with tfjs's own kernels on the processor: every op with its gradients, a small model, updates,
 * translation. The backend is the current one before and after it.
 *
 * @param chosen what is compared
 */
export async function compareWithReference({
  name,
  precisions,
  threads,
}: ChosenBackend): Promise<Comparison[]> {
  const others = (Object.keys(precisions) as Precision[]).filter((precision) => precision in CLOSE_IN);
  const cases = [...TRAINING_CASES, ...DECODING_CASES, ...NON_FINITE_CASES, ...MODEL_CASES];
  const expected = new Map<Case, Results>();
  await initBackend('cpu');
  for (const one of cases) expected.set(one, await one.compute());
  await initBackend(name, threads);
  const found: Comparison[] = [];
  let passed: Results = {};
  for (const one of cases) {
    const results = await one.compute();
    found.push(judge(one.what, errorOf(results, expected.get(one)!), CLOSE));
    if (one === MODEL_CASE) passed = results;
  }
  found.push(judge('model again: the same bits', errorOf(await MODEL_CASE.compute(), passed), 0));
  for (const precision of others) {
    for (const [i, { what, compute }] of productsIn(precision).entries()) {
      const error = errorOf(await compute(), expected.get(PRODUCT_CASES[i])!);
      found.push(judge(`${what} in ${precision}`, error, CLOSE_IN[precision]));
    }
    const error = errorOf(await gradientsIn(precision), expected.get(MODEL_CASE)!);
    found.push(judge(`model in ${precision}`, error, CLOSE_IN[precision]));
  }
  return found;
}

const judge = (what: string, error: number, most: number): Comparison => ({
  ...{ what, error, most },
  right: error <= most,
});

/** The largest error of all results. */
function errorOf(found: Results, expected: Results): number {
  const errors = Object.entries(expected).map(([name, values]) => relativeError(found[name], values));
  return Math.max(...errors);
}

/** @returns Infinity where one is NaN or infinite and the other is something else */
export function relativeError(found: ArrayLike<number> | undefined, expected: ArrayLike<number>): number {
  if (found?.length !== expected.length) return Number.POSITIVE_INFINITY;
  let [difference, largest] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    if (Object.is(found[i], expected[i]) || found[i] === expected[i]) continue;
    const distance = Math.abs(found[i] - expected[i]);
    if (!Number.isFinite(distance)) return Number.POSITIVE_INFINITY;
    difference = Math.max(difference, distance);
  }
  for (let i = 0; i < expected.length; i++)
    if (Number.isFinite(expected[i])) largest = Math.max(largest, Math.abs(expected[i]));
  return difference === 0 ? 0 : difference / largest;
}

async function readAll(tensors: Iterable<readonly [string, tf.Tensor]>): Promise<Results> {
  const results: Results = {};
  for (const [name, tensor] of tensors) results[name] = await ownValues(tensor);
  return results;
}

/** Loss of a batch, and the gradient of every weight. */
async function gradientsIn(precision: Precision): Promise<Results> {
  const model = newModel();
  model.precision = precision;
  const { loss, nll, gradients } = lossGradients(model, model.trainable, batchOf(1), 0.1, {
    ...{ seed: 2 ** 32 + 3, step: 7 },
  });
  const named = gradients.map((gradient, i) => [String(i), gradient] as const);
  const results = await readAll([['loss', loss], ['nll', nll], ...named]);
  tf.dispose([loss, nll, gradients]);
  model.dispose();
  return results;
}

/**
 * How far updates move the weights and their average. With an ε of Adam that is no smaller than rounding is large: gradients
 * that are rounding alone, such as of the biases of keys, would else decide about whole steps.
 *
 * @param spoiled whether a weight is NaN, so that nothing must move
 */
async function movesOf(optimizer: 'adam' | 'sgd', spoiled = false): Promise<Results> {
  const model = newModel();
  if (spoiled) spoil(model);
  const before = await readAll(model.weights);
  const options = { ...UPDATES, optimizer, adamEps: 1e-3, momentum: 0.9, weightDecay: 0.01 };
  const updater = new Updater(model, options);
  const average = new MovingAverage(model, 0.9);
  for (let i = 0; i < UPDATES_DONE; i++) {
    tf.dispose(Object.values(updater.apply([batchOf(i)], i, 0.1)) as never);
    average.update(i + 1);
  }
  const after = await readAll(model.weights);
  const averages = await readAll(average.model.weights);
  average.dispose();
  updater.dispose();
  model.dispose();
  return { moves: differences(after, before), average: differences(averages, before) };
}

function spoil(model: Transformer): void {
  const [weight] = model.trainable;
  tf.tidy(() => {
    const places = tf.tensor2d([[40, 5]], [1, 2], 'int32');
    const spot = tf.scatterND(places, tf.tensor1d([Number.NaN]), weight.shape as [number, number]);
    weight.assign(tf.add(weight, spot));
  });
}

function differences(after: Results, before: Results): Float64Array {
  return Float64Array.from(
    Object.entries(before).flatMap(([name, values]) =>
      Array.from(values, (value, i) => after[name][i] - value),
    ),
  );
}

/** Steps of a translation, fed the same tokens whatever it found best. */
async function translationSteps(): Promise<Results> {
  const model = newModel();
  const decoder = new IncrementalDecoder(model);
  const state = decoder.start();
  state.add(batchOf(1).source);
  const rows = batchOf(1).indices.length;
  const results: Results = {};
  let tokens = new Int32Array(rows).fill(EOS);
  for (let step = 0; step < 4; step++) {
    const { logProbs, endLogProbs } = await state.step(tokens, 5, []);
    Object.assign(results, { [`best ${step}`]: logProbs, [`end ${step}`]: endLogProbs });
    state.select(Int32Array.from({ length: rows }, (_, i) => i));
    tokens = Int32Array.from({ length: rows }, (_, i) => 4 + ((7 * i + step) % 200));
  }
  state.dispose();
  decoder.dispose();
  model.dispose();
  return results;
}

const MODEL_CASE: Case = { what: 'model: loss and gradients', compute: () => gradientsIn('float32') };

/** A small model: its gradients, its updates, its translations. */
const MODEL_CASES: readonly Case[] = [
  MODEL_CASE,
  ...(['adam', 'sgd'] as const).map((optimizer) => ({
    what: `two updates, ${optimizer}`,
    compute: () => movesOf(optimizer),
  })),
  { what: 'updates with NaN: nothing moves', compute: () => movesOf('adam', true) },
  { what: 'steps of a translation', compute: translationSteps },
];
