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
  });
}
