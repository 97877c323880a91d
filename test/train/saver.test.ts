import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import process from 'node:process';
import { before, describe, test } from 'node:test';
import { DeviceError } from '../../src/common/errors.js';
import { GrowingSum } from '../../src/common/growing-sum.js';
import { readSafetensors } from '../../src/formats/safetensors.js';
import { Transformer } from '../../src/model/transformer.js';
import { zeroMoments } from '../../src/ops/optimizer.js';
import { tf } from '../../src/ops/tf.js';
import { RING_BYTES } from '../../src/train/checkpoint-ring.js';
import { Saver } from '../../src/train/saver.js';
import { INITIAL_STATE } from '../../src/train/state.js';
import { BACKENDS, ORIGIN, scratchFolder, tinyModelConfig, useBackend, VOCABULARY } from './tiny.js';

/** A model with its moments, whose checkpoint takes about so many bytes. */
function savableOf(bytes: number) {
  const width = 4 * Math.ceil(Math.sqrt(bytes / 12 / 16) / 4);
  const config = tinyModelConfig({ embedDim: width, ffnEmbedDim: 2 * width });
  const model = Transformer.create(config, VOCABULARY, 1);
  const moments = zeroMoments(model.trainable);
  return { model, moments, state: { ...INITIAL_STATE, updates: 3 }, lr: 1, metrics: new GrowingSum().sum };
}

function dispose({ model, moments }: ReturnType<typeof savableOf>): void {
  model.dispose();
  tf.dispose([moments.first, moments.second]);
}

describe('saving', () => {
  before(() => useBackend(BACKENDS[0]));

  test('a checkpoint of any size is of one moment, and takes little memory', async () => {
    const folder = scratchFolder();
    const savable = savableOf(2 * RING_BYTES);
    const { model } = savable;
    const expected = [...model.weights].map(([name, weight]): [string, Float32Array] => [
      name,
      weight.dataSync<'float32'>().slice(0, 1000),
    ]);
    const saver = new Saver({ runDirectory: folder, origin: ORIGIN, keep: 1 }, 0);
    const held = process.memoryUsage.rss();
    await saver.save(savable);
    const grown = process.memoryUsage.rss() - held;
    tf.tidy(() => {
      for (const weight of model.weights.values()) weight.assign(tf.zerosLike(weight)); // training goes on
    });
    await saver.settle();
    const file = path.join(folder, 'checkpoint_last', 'model.safetensors');
    const { tensors } = readSafetensors(file);
    for (const [name, values] of expected)
      assert.deepEqual(tensors.get(name)!.data.slice(0, 1000), values, name);
    assert.ok(grown < 1.7 * RING_BYTES, `${grown}`);
    dispose(savable);
  });

  test('where the disk refuses, a large checkpoint is given up and training does not wait for it', async () => {
    const folder = path.join(scratchFolder(), 'run');
    fs.writeFileSync(folder, ''); // no folder can be made
    const savable = savableOf(1.2 * RING_BYTES);
    const saver = new Saver({ runDirectory: folder, origin: ORIGIN, keep: 1, retryAfter: 0 }, 0);
    await saver.save(savable);
    await assert.rejects(saver.settle(), /the last checkpoint could not be written: .*run/);
    assert.equal(saver.retryDue, true);
    dispose(savable);
  });

  test('a device that is lost meanwhile leaves what was saved before', async () => {
    const folder = scratchFolder();
    const savable = savableOf(100_000);
    const saver = new Saver({ runDirectory: folder, origin: ORIGIN, keep: 1 }, 0);
    await saver.save({ ...savable, state: { ...savable.state, updates: 2 } });
    await saver.settle();
    const lost = new DeviceError({ problem: 'the card is gone' });
    const unreadable = ({ shape }: tf.Tensor) => ({ shape, data: () => Promise.reject(lost), lend: null });
    const first = savable.moments.first.map((moment, i) => (i === 2 ? unreadable(moment) : moment));
    const broken = { ...savable, moments: { ...savable.moments, first: first as tf.Variable[] } };
    await useBackend('cpu'); // which reads a tensor by its `data`, and has the memory of none of the others
    await assert.rejects(saver.save(broken), lost);
    await useBackend(BACKENDS[0]);
    assert.equal(saver.savedAt, 2);
    await saver.idle();
    assert.deepEqual(
      fs.readdirSync(folder).filter((name) => name.includes('checkpoint')),
      ['checkpoint_1_2', 'checkpoint_last'],
      'nothing half-written stays',
    );
    dispose(savable);
  });
});
