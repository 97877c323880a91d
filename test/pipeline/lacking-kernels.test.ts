import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { initBackend } from '../../src/backend/init.js';
import { NativeBackend } from '../../src/backend/native/backend.js';
import { IMPLEMENTATIONS } from '../../src/backend/native/kernels/implementations.js';
import { pack } from '../../src/data/batch.js';
import { beamSearch, type Hypothesis } from '../../src/decode/search.js';
import { IncrementalDecoder } from '../../src/model/incremental.js';
import { Transformer } from '../../src/model/transformer.js';
import { hasKernel, type KernelName } from '../../src/ops/kernels.js';
import { movingAverage } from '../../src/ops/moving-average.js';
import { tf } from '../../src/ops/tf.js';
import { Updater } from '../../src/train/update.js';
import { batchOf, tinyConfig, VOCABULARY } from '../model/models.js';
import { allClose } from '../ops/all-close.js';
import { availableBackends } from '../ops/backends.js';
import { tinyTrainConfig } from '../train/tiny.js';

const KERNELS = Object.keys(IMPLEMENTATIONS) as KernelName[];

/** What training does without. */
const DECODING: readonly KernelName[] = [
  ...(['PackWeight', 'PackedLinear', 'StoreRows', 'CachedAttention'] as const),
  ...(['TopLogProbs', 'PickColumns'] as const),
];

/** Makes the native engine without some kernels the current backend. */
async function engineWithout(missing: readonly KernelName[]): Promise<void> {
  await initBackend('native');
  const { addon } = tf.backend() as NativeBackend;
  const name = `without${missing.join('')}`;
  tf.registerBackend(name, () => new NativeBackend(addon));
  for (const kernel of tf.getKernelsForBackend('native')) {
    if (!missing.some((other) => other === kernel.kernelName))
      tf.registerKernel({ ...kernel, backendName: name });
  }
  await tf.setBackend(name);
}

interface Outcome {
  losses: number[];
  weights: number[];
  found: Hypothesis[][];
}

/** Three updates of a model with dropout, its moving average, and what it translates. */
async function trainAndTranslate(): Promise<Outcome> {
  const rates = { dropout: 0.1, attentionDropout: 0.1, activationDropout: 0.1 };
  const model = Transformer.create(tinyConfig({ ...rates, activationFn: 'gelu' }), VOCABULARY, 1);
  // Not Adam, which would make whole steps of gradients that are nothing but rounding.
  const config = tinyTrainConfig({ optimizer: 'sgd' });
  const updater = new Updater(model, { ...config, seed: 1 });
  const losses: number[] = [];
  for (let update = 0; update < 3; update++) {
    const { loss, nll, gradientNorm } = updater.apply([batchOf()], update, 0.05);
    for (const figure of [...loss, ...nll, gradientNorm]) losses.push((await figure.data())[0]);
    tf.dispose([loss, nll, gradientNorm]);
  }
  movingAverage(updater.moments.first, model.trainable, 0.5);
  const ids = Int32Array.of(0, 1, 2, 3, 5, 6, 9, 14);
  const [decoder, restricted] = [
    new IncrementalDecoder(model),
    new IncrementalDecoder(model, 'float32', ([first]) => ids.subarray(0, first + 2)),
  ];
  const search = { beam: 3, lenpen: 1, maxLenA: 0, maxLenB: 6, minLen: 1, maxPositions: 16 };
  const sources = pack([[5, 9, 2], [2], [4, 4, 8, 15, 10, 2]]);
  const found = await beamSearch(decoder, sources, search);
  found.push(...(await beamSearch(restricted, sources, search)));
  decoder.dispose();
  restricted.dispose();
  const weights: number[] = [];
  for (const tensor of [...model.trainable, ...updater.moments.first]) weights.push(...(await tensor.data()));
  updater.dispose();
  model.dispose();
  return { losses, weights, found };
}

const skip = availableBackends.includes('native') ? false : 'the native engine is not built';

describe('a backend that lacks kernels', { skip }, () => {
  let expected: Outcome;
  before(async () => {
    await initBackend('native');
    expected = await trainAndTranslate();
  });

  test('is asked for each of them', async () => {
    assert.ok(hasKernel(...KERNELS));
    await engineWithout(['Dropout']);
    assert.deepEqual(
      KERNELS.filter((name) => !hasKernel(name)),
      ['Dropout'],
    );
    assert.ok(hasKernel('Linear', 'LinearGradient') && !hasKernel('Linear', 'Dropout'));
  });

  test('without those of decoding: training is the same, bit for bit, and it translates', async () => {
    await engineWithout(DECODING);
    const tensors = tf.memory().numTensors;
    const { losses, weights, found } = await trainAndTranslate();
    assert.equal(tf.memory().numTensors, tensors);
    assert.deepEqual(losses, expected.losses);
    assert.deepEqual(weights, expected.weights);
    compareTranslations(found, expected.found);
  });

  for (const missing of KERNELS) {
    test(`without ${missing}`, async () => {
      await engineWithout([missing]);
      const { losses, weights, found } = await trainAndTranslate();
      allClose(losses, expected.losses, { absolute: 1e-5, relative: 1e-5 });
      allClose(weights, expected.weights, { absolute: 1e-5, relative: 1e-5 });
      compareTranslations(found, expected.found);
    });
  }

  test('without any', async () => {
    await engineWithout(KERNELS);
    const { losses, found } = await trainAndTranslate();
    allClose(losses, expected.losses, { absolute: 1e-5, relative: 1e-5 });
    compareTranslations(found, expected.found);
  });
});

function compareTranslations(found: Hypothesis[][], expected: Hypothesis[][]): void {
  const tokens = (all: Hypothesis[][]) => all.map((list) => list.map((hypothesis) => hypothesis.tokens));
  const scores = (all: Hypothesis[][]) => all.flatMap((list) => list.map(({ score }) => score));
  assert.deepEqual(tokens(found), tokens(expected));
  allClose(scores(found), scores(expected), { absolute: 1e-4 });
}
