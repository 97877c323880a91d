import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { compareLogProbs, type IdPair, translateIds } from '../../src/decode/compare-models.js';
import { Transformer } from '../../src/model/transformer.js';
import { tf } from '../../src/ops/tf.js';
import { batchOf, tinyConfig, useBackend, VOCABULARY } from '../model/models.js';

/** Of lengths 2 … 6, not in their order. */
const PAIRS: IdPair[] = [3, 6, 2, 5, 4].map((length, i) => ({
  source: Int32Array.from({ length }, (_, j) => (j === length - 1 ? 2 : 4 + ((i + 3 * j) % 5))),
  target: Int32Array.from({ length }, (_, j) => (j === length - 1 ? 2 : 4 + ((2 * i + j) % 5))),
}));

let [one, other]: Transformer[] = [];
before(async () => {
  await useBackend('wasm');
  [one, other] = [1, 2].map((seed) => Transformer.create(tinyConfig(), VOCABULARY, seed));
});
after(() => {
  for (const model of [one, other]) model.dispose();
});

test('a model and itself: all tokens are compared, and none is apart', async () => {
  assert.deepEqual(await compareLogProbs(one, one, PAIRS), { tokens: 20, ofTarget: 0, ofAny: 0 });
});

/** log p of every entry after each target token, by tfjs. */
function logProbs(model: Transformer, pairs: readonly IdPair[]): tf.Tensor2D {
  const { source, targetInput } = batchOf(pairs);
  const memory = model.encode(source, { training: null });
  const hidden = model.decode(targetInput, memory, source.offsets, { training: null });
  return tf.logSoftmax(tf.matMul(hidden as tf.Tensor2D, model.outputWeight(), false, true));
}

test('the largest distance of the target tokens, and of any entry', async () => {
  const found = await compareLogProbs(one, other, PAIRS);
  const [ofTarget, ofAny] = tf.tidy(() => {
    const apart = tf.abs(tf.sub(logProbs(one, PAIRS), logProbs(other, PAIRS)));
    const targets = tf.oneHot(tf.tensor1d([...batchOf(PAIRS).targetOutput], 'int32'), VOCABULARY.target);
    return [tf.mul(apart, targets), apart].map((distances) => tf.max(distances).dataSync()[0]);
  });
  assert.ok(Math.abs(found.ofTarget - ofTarget) < 1e-5, `${found.ofTarget}, ${ofTarget}`);
  assert.ok(Math.abs(found.ofAny - ofAny) < 1e-5, `${found.ofAny}, ${ofAny}`);
  assert.ok(0 < ofTarget && ofTarget < ofAny);
});

test('what is not a number is farther than everything', async () => {
  const broken = Transformer.create(tinyConfig(), VOCABULARY, 1);
  const [weight] = broken.weights.values();
  tf.tidy(() => weight.assign(tf.fill(weight.shape, Number.NaN)));
  const { ofTarget, ofAny } = await compareLogProbs(one, broken, PAIRS);
  assert.deepEqual([ofTarget, ofAny], [Infinity, Infinity]);
  broken.dispose();
});

test('translations stand in the order of their sentences, whatever the batches', async () => {
  const search = { beam: 2, lenpen: 1, maxLenA: 1, maxLenB: 3, minLen: 1, maxPositions: 64 };
  const sources = PAIRS.map(({ source }) => source);
  const together = await translateIds(one, sources, { ...search, maxTokens: 8, batchSize: 2 });
  for (const [i, source] of sources.entries()) {
    const [alone] = await translateIds(one, [source], { ...search, maxTokens: 512, batchSize: 64 });
    assert.equal(alone.at(-1), 2, String(alone));
    assert.deepEqual(together[i], alone);
  }
});
