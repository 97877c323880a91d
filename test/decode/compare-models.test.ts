import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { compareLogProbs, type IdPair, translateIds } from '../../src/decode/compare-models.js';
import { Transformer } from '../../src/model/transformer.js';
import { tf } from '../../src/ops/tf.js';
import { tinyConfig, useBackend, VOCABULARY } from '../model/models.js';

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

test('the largest distance over all pairs, of the target and of any entry', async () => {
  const all = await compareLogProbs(one, other, PAIRS);
  const single = [];
  for (const pair of PAIRS) single.push(await compareLogProbs(other, one, [pair]));
  for (const of of ['ofTarget', 'ofAny'] as const) {
    const most = Math.max(...single.map((difference) => difference[of]));
    assert.ok(Math.abs(all[of] - most) < 1e-5, `${of}: ${all[of]}, ${most}`);
  }
  assert.ok(0 < all.ofTarget && all.ofTarget < all.ofAny);
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
    assert.deepEqual(together[i], alone);
  }
});
