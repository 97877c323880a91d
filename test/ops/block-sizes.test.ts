import assert from 'node:assert/strict';
import { test } from 'node:test';
import { initBackend } from '../../src/backend/init.js';
import { attention } from '../../src/ops/attention.js';
import { KeyValueStore, seenBy } from '../../src/ops/cached-attention.js';
import { smoothedCrossEntropy } from '../../src/ops/cross-entropy.js';
import { dropout } from '../../src/ops/dropout.js';
import { placedEmbedding } from '../../src/ops/embedding.js';
import { feedForward } from '../../src/ops/feed-forward.js';
import { layerNorm } from '../../src/ops/layer-norm.js';
import { linear, matMul } from '../../src/ops/matmul.js';
import { movingAverage } from '../../src/ops/moving-average.js';
import { type AdamOptions, adamUpdate, globalNorm } from '../../src/ops/optimizer.js';
import { PreparedLinear } from '../../src/ops/prepared-linear.js';
import { residual } from '../../src/ops/residual.js';
import { tf } from '../../src/ops/tf.js';
import { topLogProbs } from '../../src/ops/top-log-probs.js';
import { allClose } from './all-close.js';
import { availableBackends } from './backends.js';
import { blockSizes, matrixSizes, vectorSizes } from './block-sizes.js';
import { normal, offsetsOf } from './samples.js';

/**
 * Every op on the native engine, forward and gradient, at sizes on both sides of every block of its kernels, against its
 * reference composite on tfjs's own cpu backend, which cuts nothing into blocks. One dimension at a time is large.
 */

type Shape = number[];
type Run = (...inputs: tf.Tensor[]) => tf.Tensor | (tf.Tensor | ArrayLike<number>)[];

interface Case {
  /** The dimensions, by name, each of them at every size of `sizes` in turn while the others are small. */
  dimensions: Record<string, number>;
  sizes?: readonly number[];
  shapes(at: Record<string, number>): Shape[];
  run(at: Record<string, number>): Run;
  /** Results alone; by default the gradient of the first result is compared, too. */
  forwardOnly?: boolean;
}

const KEY = { seed: 7, step: 3, site: 1 };
const DROPPING = { dropout: 0.3, key: KEY };
const as1 = (x: tf.Tensor): tf.Tensor1D => x as tf.Tensor1D;
const as2 = (x: tf.Tensor): tf.Tensor2D => x as tf.Tensor2D;

/** Numbers that repeat, in [0, size). */
const indices = (count: number, size: number): Int32Array =>
  Int32Array.from({ length: count }, (_, i) => (7 * i + count) % size);

/** Three sentences that make up so many rows, the first one long, the second empty where there are few. */
const sentences = (rows: number): Int32Array =>
  offsetsOf([rows - Math.floor(rows / 3), 0, Math.floor(rows / 3)]);

const product = (swapA: boolean, swapB: boolean): Case => ({
  dimensions: { m: 5, k: 3, n: 7 },
  shapes: ({ m, k, n }) => [swapA ? [k, m] : [m, k], swapB ? [n, k] : [k, n]],
  run: () => (a, b) => matMul(as2(a), as2(b), swapA, swapB),
});

const inner = (activation: 'relu' | 'gelu'): Case => ({
  dimensions: { rows: 5, width: 3, inner: 7 },
  shapes: ({ rows, width, inner }) => [[rows, width], [inner, width], [inner], [width, inner], [width]],
  run: () => (x, fc1Weight, fc1Bias, fc2Weight, fc2Bias) =>
    feedForward(
      as2(x),
      {
        ...{ fc1Weight: as2(fc1Weight), fc1Bias: as1(fc1Bias) },
        ...{ fc2Weight: as2(fc2Weight), fc2Bias: as1(fc2Bias) },
      },
      { activation, ...DROPPING },
    ),
});

/** A row of one element is normalised to nothing, and the gradient there is what rounding leaves. */
const several = matrixSizes.filter((size) => size > 1);

const sublayer = (norm: boolean): Case => ({
  dimensions: { rows: 5, width: 6 },
  sizes: several,
  shapes: ({ rows, width }) => [[rows, width], [rows, width], [width], [1], [width], [width]],
  run: () => (x, branch, omega, gate, gain, bias) =>
    residual(as2(x), as2(branch), {
      ...{ ...DROPPING, alpha: 0.7, omega: as1(omega), gate: as1(gate) },
      norm: norm ? { gain: as1(gain), bias: as1(bias) } : null,
    }),
});

/** Attention goes by sentences; what is compared grows with the square of their length. */
const attend = (causal: boolean): Case => ({
  dimensions: causal ? { queries: 9, width: 3 } : { queries: 9, keys: 9, width: 3 },
  sizes: several.filter((size) => size < 300),
  shapes: ({ queries, keys = queries, width }) => [queries, keys, keys].map((rows) => [rows, 2 * width]),
  run:
    ({ queries, keys = queries }) =>
    (q, k, v) =>
      attention(as2(q), as2(k), as2(v), sentences(queries), sentences(keys), {
        ...{ heads: 2, causal, ...DROPPING },
      }),
});

const elementwise = (op: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor, operands = 2): Case => ({
  dimensions: { size: 1 },
  sizes: vectorSizes,
  shapes: ({ size }) => Array(operands).fill([size]),
  run: () => op,
});

const CASES: Record<string, Case> = {
  'matMul a·b': product(false, false),
  'matMul a·bᵀ': product(false, true),
  'matMul aᵀ·b': product(true, false),
  'matMul aᵀ·bᵀ': product(true, true),
  linear: {
    dimensions: { rows: 5, in: 3, out: 7 },
    shapes: ({ rows, in: width, out }) => [[rows, width], [out, width], [out]],
    run: () => (x, weight, bias) => linear(as2(x), as2(weight), as1(bias)),
  },
  'prepared linear': {
    dimensions: { rows: 5, in: 3, out: 7 },
    shapes: ({ rows, in: width, out }) => [[rows, width], [out, width], [out]],
    run: () => (x, weight, bias) => {
      const prepared = PreparedLinear.of(as2(weight), as1(bias));
      const results = [prepared.apply(as2(x)), prepared.apply(as2(x), 'relu')];
      prepared.dispose();
      return results;
    },
    forwardOnly: true,
  },
  'feed-forward, relu': inner('relu'),
  'feed-forward, gelu': inner('gelu'),
  'residual with its norm': sublayer(true),
  'residual without': { ...sublayer(false), shapes: (at) => sublayer(true).shapes(at).slice(0, 4) },
  'layer norm': {
    dimensions: { rows: 5, width: 6 },
    sizes: several,
    shapes: ({ rows, width }) => [[rows, width], [width], [width]],
    run: () => (x, gain, bias) => layerNorm(as2(x), as1(gain), as1(bias)),
  },
  attention: attend(false),
  'attention, causal': attend(true),
  embedding: {
    dimensions: { tokens: 5, size: 7, width: 3 },
    shapes: ({ size, width }) => [[size, width]],
    run:
      ({ tokens, size, width }) =>
      (table) =>
        placedEmbedding(indices(tokens, size), as2(table), {
          ...{ scale: 1.5, ...DROPPING },
          positions: as2(normal([4, width], 8)),
          places: indices(tokens, 4),
        }),
  },
  'cross-entropy': {
    dimensions: { rows: 5, width: 3, size: 7 },
    shapes: ({ rows, width, size }) => [
      [rows, width],
      [size, width],
    ],
    run:
      ({ rows, size }) =>
      (hidden, weight) => {
        const { loss, nll } = smoothedCrossEntropy(as2(hidden), as2(weight), indices(rows, size), 0.1);
        return [loss, nll];
      },
  },
  'cached attention': {
    dimensions: { rows: 3, keys: 6, width: 3 },
    shapes: ({ rows, keys, width }) => [
      [rows, 2 * width],
      [keys, 2 * width],
      [keys, 2 * width],
    ],
    run:
      ({ rows, keys, width }) =>
      (queries, k, v) => {
        const store = new KeyValueStore(2 * width);
        store.put(0, as2(k), as2(v));
        const lists = Array.from({ length: rows }, (_, row) => [...indices(1 + (row % keys), keys)]);
        return store.attend(as2(queries), seenBy([[...indices(keys, keys)], ...lists.slice(1)]), 2);
      },
    forwardOnly: true,
  },
  add: elementwise((a, b) => tf.add(a, b)),
  subtract: elementwise((a, b) => tf.sub(a, b)),
  multiply: elementwise((a, b) => tf.mul(a, b)),
  dropout: elementwise((a) => dropout(a, 0.4, KEY), 1),
  'global norm': { ...elementwise((a, b) => globalNorm([a, b])), forwardOnly: true },
  Adam: {
    ...elementwise((a) => a),
    run: () => (parameter, gradient) => {
      const [p, ...moments] = [parameter, tf.zerosLike(parameter), tf.zerosLike(parameter)].map((x) =>
        tf.variable(x),
      );
      const options: AdamOptions = { lr: 0.1, betas: [0.9, 0.98], eps: 1e-3, weightDecay: 0.01 };
      const state = { first: [moments[0]], second: [moments[1]] };
      for (const scale of [0.5, 2]) adamUpdate([p], [gradient], state, 0.1, options, tf.scalar(scale));
      return [p, ...moments].map((variable) => values(variable));
    },
    forwardOnly: true,
  },
  'moving average': {
    ...elementwise((a) => a),
    run: () => (average, parameter) => {
      const [a, p] = [average, parameter].map((x) => tf.variable(x));
      movingAverage([a], [p], 0.75);
      return [values(a)];
    },
    forwardOnly: true,
  },
};

/** Copied, and the variable is disposed of. */
function values(variable: tf.Variable): Float32Array {
  const copy = Float32Array.from(variable.dataSync());
  variable.dispose();
  return copy;
}

const copied = (x: tf.Tensor | ArrayLike<number>): Float32Array =>
  Float32Array.from('dataSync' in x ? x.dataSync() : x);

/** All that an op gives: its results, and the gradient of the first one in every input. */
function outcomes({ shapes, run, forwardOnly }: Case, at: Record<string, number>): Float32Array[] {
  return tf.tidy(() => {
    const inputs = shapes(at).map((shape, i) => normal(shape, 60 + i) as tf.Tensor);
    const results = [run(at)(...inputs)].flat();
    if (forwardOnly === true) return results.map(copied);
    const first = (...given: tf.Tensor[]) => [run(at)(...given)].flat()[0] as tf.Tensor;
    const gradients = tf.grads(first)(inputs, normal((results[0] as tf.Tensor).shape as Shape, 59));
    return [...results, ...gradients].map(copied);
  });
}

/** One dimension at each of the sizes, the others small. */
function placesOf({
  dimensions,
  sizes = matrixSizes,
}: Pick<Case, 'dimensions' | 'sizes'>): Record<string, number>[] {
  return Object.keys(dimensions).flatMap((name) => sizes.map((size) => ({ ...dimensions, [name]: size })));
}

test('the blocks are those of the kernels', () => {
  for (const size of [64, 96, 128, 224, 512, 16384]) assert.ok(blockSizes.includes(size), `${size}`);
  assert.ok(matrixSizes.includes(1025) && vectorSizes.includes(32769));
});

const missing = availableBackends.includes('native') ? false : 'the native engine is not built here';
for (const [name, given] of Object.entries(CASES)) {
  test(`${name}: the native engine at every size of a block`, { skip: missing }, async () => {
    const places = placesOf(given);
    await initBackend('native', 2);
    const found = places.map((at) => outcomes(given, at));
    await initBackend('cpu');
    places.forEach((at, i) => {
      outcomes(given, at).forEach((expected, j) => {
        const largest = expected.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
        const what = `${JSON.stringify(at)}, result ${j}`;
        allClose(found[i][j], expected, { absolute: 2e-6 + 1e-5 * largest, relative: 1e-5 }, what);
      });
    });
  });
}

test('top log-probabilities: the native engine at every size of a block', { skip: missing }, async () => {
  const places = placesOf({ dimensions: { rows: 3, size: 9 } });
  const outcome = async ({ rows, size }: Record<string, number>) => {
    const logits = normal([rows, size], 60) as tf.Tensor2D;
    const result = await topLogProbs(logits, Math.min(3, size), [], size - 1);
    logits.dispose();
    return result;
  };
  await initBackend('native', 2);
  const found = [];
  for (const at of places) found.push(await outcome(at));
  await initBackend('cpu');
  for (const [i, at] of places.entries()) {
    const { ids, logProbs, ofAsked } = await outcome(at);
    assert.deepEqual(found[i].ids, ids, JSON.stringify(at));
    for (const [own, expected] of [
      [found[i].logProbs, logProbs],
      [found[i].ofAsked, ofAsked],
    ])
      allClose(own, expected, { absolute: 1e-4, relative: 1e-5 }, JSON.stringify(at));
  }
});
