import assert from 'node:assert/strict';
import process from 'node:process';
import { describe, test } from 'node:test';
import { initBackend } from '../../src/backend/init.js';
import { Transformer } from '../../src/model/transformer.js';
import { tf } from '../../src/ops/tf.js';
import { rehearse, time } from '../../src/train/rehearsal.js';
import { checkpointBytes, type SizedBatch, Trial } from '../../src/train/trial.js';
import { BACKENDS, copyTask, tinyModelConfig, tinyTrainConfig, VOCABULARY } from './tiny.js';

const MODEL = tinyModelConfig({ embedDim: 64, ffnEmbedDim: 256 });
const inputs = { seed: 1, maxPositions: MODEL.maxPositions, train: copyTask(4000) };

describe('the memory of a training', { skip: !BACKENDS.includes('native') && 'no native backend' }, () => {
  test('grows with the batch by what activations take, and counts a checkpoint and translation', async () => {
    const { memory } = await initBackend('native');
    const model = Transformer.create(MODEL, VOCABULARY, 1);
    const measured = async (translate?: () => Promise<void>): Promise<number[]> => {
      const trial = new Trial(model, { ...inputs, config: tinyTrainConfig(), memory, translate });
      const bytes = [await trial.measure(1000), await trial.measure(2000), await trial.measure(4000)];
      trial.dispose();
      return bytes;
    };
    const tensors = tf.memory().numTensors;
    const [small, medium, large] = await measured();
    assert.equal(tf.memory().numTensors, tensors);
    const ratio = (large - medium) / (medium - small);
    assert.ok(ratio > 1 && ratio < 4, `${[small, medium, large]}`); // 2, but for the rest of the process
    assert.ok(
      small > process.memoryUsage.rss() - memory!.resident + checkpointBytes(model, { emaDecay: null }),
    );
    const hungry = async (): Promise<void> => tf.tidy(() => void tf.add(tf.zerosLike(tf.ones([2 ** 25])), 1));
    const [translating] = await measured(hungry);
    assert.ok(translating > small + 2 ** 26, `${[small, translating]}`);
    model.dispose();
  });

  test('what the process grows by in a trial is counted once: another trial on the same data finds the same', async () => {
    const { memory } = await initBackend('native');
    const model = Transformer.create(MODEL, VOCABULARY, 1);
    const train = copyTask(4000);
    const measured = async (): Promise<number> => {
      const trial = new Trial(model, { ...inputs, train, config: tinyTrainConfig(), memory });
      const bytes = await trial.measure(2000);
      trial.dispose();
      return bytes;
    };
    const first = await measured();
    const grown = new Uint8Array(2 ** 27).fill(1);
    const second = await measured();
    assert.ok(Math.abs(second - first) < 2 ** 22, `${[first, second, grown.length]}`);
    model.dispose();
  });

  test('counts once what translating leaves in the process besides tensors', async () => {
    const { memory } = await initBackend('native');
    const model = Transformer.create(MODEL, VOCABULARY, 1);
    memory!.trim(); // of the tests before
    const left: Buffer[] = [];
    const trial = new Trial(model, {
      ...{ ...inputs, train: copyTask(4000), config: tinyTrainConfig(), memory },
      translate: async () => void left.push(Buffer.alloc(2 ** 28, 1)),
    });
    const estimate = await trial.measure(1000);
    const most = process.resourceUsage().maxRSS * 1024;
    assert.ok(estimate < most + 2 ** 27, `${[estimate, most]}`);
    assert.equal(left.length, 1);
    trial.dispose();
    model.dispose();
  });

  test('counts the batches that are read at a time, of which many make an update', async () => {
    const { memory } = await initBackend('native');
    const model = Transformer.create(MODEL, VOCABULARY, 1);
    const train = { ...copyTask(40_000), pairs: async () => [] };
    const measured = async (updateFreq: number): Promise<number> => {
      const config = tinyTrainConfig({ updateFreq });
      const trial = new Trial(model, { ...inputs, train, config, memory });
      const bytes = await trial.measure(100);
      trial.dispose();
      return bytes;
    };
    const [few, many] = [await measured(128), await measured(256)]; // as many lists of gradients, but for one
    assert.ok(many - few > 2e7 && many - few < 2e8, `${[few, many]}`);
    model.dispose();
  });

  test('a rehearsal tells it for the largest batch, in the precision of training', async () => {
    const { memory } = await initBackend('native');
    const model = Transformer.create(MODEL, VOCABULARY, 1);
    const config = tinyTrainConfig({ precision: 'bfloat16', maxTokens: 2000, updateFreq: 3 });
    const found = await rehearse(model, { ...inputs, config, memory });
    assert.equal(found.updates, 4); // ten batches, since 17 996 tokens do not fill nine to the last place
    assert.equal(found.tokens, 35_992);
    assert.ok(found.largest > 3900 && found.largest <= 4000);
    assert.ok(found.memoryBytes > 2 ** 26 && found.memoryBytes < 2 ** 31);
    assert.equal(model.precision, 'bfloat16');
    model.dispose();
  });
});

test('the time of an epoch has the step of the optimizer once an update', async () => {
  const batches = [100, 60, 50, 40, 10].map((tokens) => ({
    tokens,
    targetTokens: 1,
    pairs: () => new Int32Array(),
  }));
  const trial = { update: async ({ tokens }: SizedBatch, count = 1) => count * tokens * 0.01 + 5 };
  const { ofToken, ofUpdate } = await time(trial, batches, 80);
  assert.ok(Math.abs(ofToken - 0.01) < 1e-9 && Math.abs(ofUpdate - 5) < 1e-9, `${[ofToken, ofUpdate]}`);
  const alone = await time(trial, batches, 1);
  assert.equal(alone.ofUpdate, 0);
  assert.ok(alone.ofToken > 0.05);
});
