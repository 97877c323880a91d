import assert from 'node:assert/strict';
import process from 'node:process';
import { describe, test } from 'node:test';
import { initBackend } from '../../src/backend/init.js';
import { Transformer } from '../../src/model/transformer.js';
import { tf } from '../../src/ops/tf.js';
import { rehearse } from '../../src/train/rehearsal.js';
import { checkpointBytes, Trial } from '../../src/train/trial.js';
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
