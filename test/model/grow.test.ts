import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import type { ModelConfig } from '../../src/config/schema.js';
import { growWeights, profileNewOmega, setNewOmega } from '../../src/model/grow.js';
import { layerPrefix, omegaName, type Site } from '../../src/model/scheme.js';
import { Transformer, type WeightValues } from '../../src/model/transformer.js';
import { tf } from '../../src/ops/tf.js';
import { batchOf, PAIRS, relativeError, tinyConfig, useBackend, VOCABULARY } from './models.js';

before(() => useBackend('cpu'));

const SHALLOW = { encoder: { layers: 2 }, decoder: { layers: 1 } };
const DEEP = { encoder: { layers: 5 }, decoder: { layers: 2 } };
const TRAINING = { seed: 3, step: 0 };

/** Weights of a model that tell every element apart; its ω are no scalars. */
function trained(changes: Partial<ModelConfig>): Map<string, WeightValues> {
  const model = Transformer.create(tinyConfig({ ...SHALLOW, ...changes }), VOCABULARY, 7);
  const weights = new Map(
    [...model.weights].map(([name, { shape, size }]) => [
      name,
      { shape, data: Float32Array.from({ length: size }, (_, i) => 1 + Math.sin(name.length + i) / 4) },
    ]),
  );
  model.dispose();
  return weights;
}

function grow(way: 'stack' | 'top', changes: Partial<ModelConfig>) {
  const config = tinyConfig({ ...DEEP, ...changes });
  const weights = trained(changes);
  const grown = growWeights(weights, SHALLOW, way, { config, vocabulary: VOCABULARY, seed: 3 });
  return { weights, grown, model: Transformer.fromWeights(config, VOCABULARY, grown) };
}

test('stack: layers are copied in turn, but for ω; the rest is as it was', () => {
  const { weights, grown, model } = grow('stack', { residual: 'admin' });
  for (const [name, { data }] of weights) assert.equal(grown.get(name)!.data, data, name);
  for (const [layer, from] of [
    [2, 0],
    [3, 1],
    [4, 0],
  ]) {
    const [target, source] = [layer, from].map((index) => layerPrefix('encoder', index));
    assert.equal(grown.get(`${target}fc1.weight`)!.data, weights.get(`${source}fc1.weight`)!.data);
    assert.ok(grown.get(`${target}fc_ratio_change`)!.data.every((omega) => omega === 1));
  }
  model.dispose();
});

test('top: layers above are those of a new model', () => {
  const { grown, model } = grow('top', { residual: 'pre-ln' });
  const fresh = Transformer.create(model.config, VOCABULARY, 3);
  const name = 'decoder.layers.1.self_attn.in_proj_weight';
  assert.deepEqual([...grown.get(name)!.data], [...fresh.weights.get(name)!.dataSync()]);
  fresh.dispose();
  model.dispose();
});

test('a rezero model that grows on top computes what it did: new layers begin as the identity', () => {
  const { weights, model } = grow('top', { residual: 'rezero' });
  const shallow = Transformer.fromWeights(
    tinyConfig({ ...SHALLOW, residual: 'rezero' }),
    VOCABULARY,
    weights,
  );
  const [deep, before] = [model, shallow].map(
    (m) => m.loss(batchOf(PAIRS), 0.1, { training: null }).loss.dataSync()[0],
  );
  assert.equal(deep, before);
  model.dispose();
  shallow.dispose();
});

test('ω of new sublayers is profiled, that of the others is kept', async () => {
  const { weights, model } = grow('stack', { residual: 'admin', dropout: 0.2 });
  const batch = batchOf(PAIRS);
  setNewOmega(model, SHALLOW, await profileNewOmega(model, SHALLOW, batch, TRAINING.seed));
  const kept = { stack: 'encoder', layer: 1, sublayer: 'fc' } as const;
  assert.deepEqual(
    [...model.weights.get(omegaName(kept))!.dataSync()],
    [...weights.get(omegaName(kept))!.data],
  );
  // The property of Admin on that batch, with those masks: Var(x·ω) + Var(f(x)) is the ω² of the sublayer after it.
  const sums: { site: Site; sum: number }[] = [];
  const variance = (x: tf.Tensor): number => tf.tidy(() => tf.moments(x).variance.dataSync()[0]);
  tf.tidy(() => {
    const pass = model.pass({
      training: TRAINING,
      probe: (site, shortcut, branch) => sums.push({ site, sum: variance(shortcut) + variance(branch) }),
    });
    model.decode(batch.targetInput, model.encode(batch.source, pass), batch.source.offsets, pass);
  });
  const checked = sums.flatMap(({ sum }, i) => {
    const next = sums[i + 1]?.site;
    if (next === undefined || next.stack !== sums[i].site.stack) return [];
    if (next.layer < SHALLOW[next.stack].layers) return [];
    const omega = model.weights.get(omegaName(next))!.dataSync()[0];
    return [relativeError([omega ** 2], [sum])];
  });
  assert.equal(checked.length, 3 * 2 + 3);
  assert.ok(
    checked.every((error) => error < 1e-4),
    String(checked),
  );
  model.dispose();
});

test('leaves no tensors behind but the model', async () => {
  const { model } = grow('top', { residual: 'admin' });
  const { numTensors } = tf.memory();
  setNewOmega(model, SHALLOW, await profileNewOmega(model, SHALLOW, batchOf(PAIRS), 3));
  assert.equal(tf.memory().numTensors, numTensors);
  model.dispose();
});
