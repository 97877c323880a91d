import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { pack, packBatch } from '../../src/data/batch.js';
import { EOS } from '../../src/data/dictionary.js';
import { beamSearch } from '../../src/decode/search.js';
import { ForcedDecoder } from '../../src/model/forced-decoder.js';
import { IncrementalDecoder } from '../../src/model/incremental.js';
import { PreparedLinears } from '../../src/model/pass.js';
import { Transformer } from '../../src/model/transformer.js';
import { tf } from '../../src/ops/tf.js';
import { allClose } from '../ops/all-close.js';
import { BACKENDS, RESIDUALS, tinyConfig, useBackend, VOCABULARY } from './models.js';
import { randomModel } from './random-model.js';

const OPTIONS = { beam: 4, lenpen: 1, maxLenA: 0, maxLenB: 6, minLen: 1, maxPositions: 16 };

/** Sentences of several lengths, each ending in `</s>`. */
const SOURCES: readonly number[][] = Array.from({ length: 6 }, (_, i) => [
  ...Array.from({ length: 1 + ((i * 5) % 9) }, (_, j) => 4 + ((7 * i + 3 * j * j) % 12)),
  EOS,
]);

for (const backend of BACKENDS) {
  describe(`on ${backend}`, () => {
    test('the log-probabilities of what a search has found are those of the search, in every scheme and with a bias', async () => {
      await useBackend(backend);
      const marian = {
        residual: 'post-ln',
        outputBias: true,
        decoderStart: 'pad',
        activationFn: 'swish',
      } as const;
      for (const changes of [...RESIDUALS.map((residual) => ({ residual })), marian]) {
        const { residual } = changes;
        const model =
          changes === marian
            ? randomModel(tinyConfig(marian), VOCABULARY).model
            : Transformer.create(tinyConfig(changes), VOCABULARY, 3);
        const search = new IncrementalDecoder(model);
        const found = await beamSearch(search, pack(SOURCES), OPTIONS);
        search.dispose();
        const before = tf.memory().numTensors;
        const prepared = new PreparedLinears();
        const decoder = new ForcedDecoder(model, 'float32', prepared);
        const pairs = found.flatMap((hypotheses, i) =>
          hypotheses.map(({ tokens }) => ({
            source: Int32Array.from(SOURCES[i]),
            target: Int32Array.from(tokens),
          })),
        );
        const batch = packBatch([...pairs.keys()], pairs, EOS);
        const logProbs = await decoder.logProbs(batch);
        const expected = found.flatMap((hypotheses) => hypotheses.flatMap((entry) => entry.logProbs));
        assert.equal(logProbs.length, expected.length);
        logProbs.forEach((value, i) => {
          assert.ok(Math.abs(value - expected[i]) < 1e-6, `${residual}: ${value} and ${expected[i]}`);
        });
        prepared.dispose();
        assert.equal(tf.memory().numTensors, before, 'tensors are left');
        // And the sum is what a validation computes.
        const { nll } = model.loss(batch, 0.1, { training: null });
        const [loss] = await nll.data();
        assert.ok(Math.abs(loss + logProbs.reduce((sum, value) => sum + value, 0)) < 1e-3 * loss);
        model.dispose();
      }
    });

    test('the attention of a layer is the same beside other sentences, and that of what is decoded', async () => {
      await useBackend(backend);
      const model = Transformer.create(tinyConfig(), VOCABULARY, 5);
      const before = tf.memory().numTensors;
      const prepared = new PreparedLinears();
      const decoder = new ForcedDecoder(model, 'float32', prepared);
      const pairs = SOURCES.map((source, i) => ({
        source: Int32Array.from(source),
        target: Int32Array.from(SOURCES[(i + 2) % SOURCES.length]),
      }));
      const found = new Map<string, number[]>();
      for (const choice of [
        { layer: 0, head: null },
        { layer: 1, head: null },
        { layer: 1, head: 0 },
        { layer: 1, head: 1 },
      ]) {
        const together = await decoder.attention(packBatch([...pairs.keys()], pairs, EOS), choice);
        for (const [i, pair] of pairs.entries()) {
          const [{ rows, columns, weights }] = await decoder.attention(packBatch([0], [pair], EOS), choice);
          assert.deepEqual([rows, columns], [pair.target.length, pair.source.length]);
          assert.deepEqual([together[i].rows, together[i].columns], [rows, columns]);
          allClose(together[i].weights, weights, { absolute: 1e-5 });
          for (let row = 0; row < rows; row++) {
            const sum = weights
              .subarray(row * columns, (row + 1) * columns)
              .reduce((total, weight) => total + weight, 0);
            assert.ok(Math.abs(sum - 1) < 1e-5);
          }
        }
        found.set(
          JSON.stringify(choice),
          together.flatMap(({ weights }) => [...weights]),
        );
      }
      const [first, mean, one, other] = found.values();
      assert.notDeepEqual(first, mean);
      allClose(
        one.map((weight, i) => (weight + other[i]) / 2),
        mean,
        { absolute: 1e-5 },
      );
      prepared.dispose();
      assert.equal(tf.memory().numTensors, before, 'tensors are left');
      model.dispose();
    });
  });
}
