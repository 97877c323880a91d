import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { pack } from '../../src/data/batch.js';
import { EOS, PAD } from '../../src/data/dictionary.js';
import { beamSearch, type Hypothesis, type SearchOptions } from '../../src/decode/search.js';
import { IncrementalDecoder } from '../../src/model/incremental.js';
import type { Candidates } from '../../src/model/restricted-output.js';
import { Transformer } from '../../src/model/transformer.js';
import { matMul } from '../../src/ops/matmul.js';
import { tf } from '../../src/ops/tf.js';
import { logSoftmax, type Table, TableModel } from '../decode/table-model.js';
import { BACKENDS, tinyConfig, useBackend } from './models.js';

const SIZE = 64;
const OPTIONS: SearchOptions = { beam: 4, lenpen: 1, maxLenA: 0, maxLenB: 6, minLen: 1, maxPositions: 16 };
const EVALUATION = { training: null };

/** Sentences of lengths 1 to 9, each ending in `</s>`. */
const SOURCES: readonly number[][] = Array.from({ length: 24 }, (_, i) => [
  ...Array.from({ length: (i * 5) % 9 }, (_, j) => 4 + ((7 * i + 3 * j * j) % (SIZE - 4))),
  EOS,
]);

const all: Candidates = () => Int32Array.from({ length: SIZE }, (_, id) => id);

/** The special symbols, and for each source id four ids or none. */
const some: Candidates = (source) => {
  const ids = new Set([0, 1, 2, 3]);
  for (const id of source)
    if (id % 3 > 0) for (let i = 0; i < 4; i++) ids.add(4 + ((11 * id + 17 * i) % (SIZE - 4)));
  return Int32Array.from(ids).sort();
};

function model(): Transformer {
  const made = Transformer.create(tinyConfig({ residual: 'admin' }), { source: SIZE, target: SIZE }, 3);
  let i = 0;
  for (const weight of made.weights.values()) {
    const values = Float32Array.from({ length: weight.size }, () => 0.4 * Math.sin(1.7 * i++));
    tf.tidy(() => weight.assign(tf.add(weight, tf.tensor(values, weight.shape))));
  }
  return made;
}

/** The model without any cache, its softmax over the candidates alone. */
function uncached(transformer: Transformer, candidates: Candidates): Table {
  return (source, prefix) =>
    tf.tidy(() => {
      const sources = pack([source]);
      const memory = transformer.encode(sources, EVALUATION);
      const hidden = transformer.decode(pack([[EOS, ...prefix]]), memory, sources.offsets, EVALUATION);
      const logits = matMul(hidden, transformer.outputWeight(), false, true).arraySync().at(-1)!;
      const ids = new Set(candidates(Int32Array.from(source)));
      return logSoftmax(logits.map((logit, id) => (ids.has(id) ? logit : Number.NEGATIVE_INFINITY)));
    });
}

async function search(
  transformer: Transformer,
  candidates: Candidates | undefined,
  sources: readonly number[][],
  changes: Partial<SearchOptions> = {},
): Promise<Hypothesis[][]> {
  const decoder = new IncrementalDecoder(transformer, 'float32', candidates);
  try {
    return await beamSearch(decoder, pack(sources), { ...OPTIONS, ...changes });
  } finally {
    decoder.dispose();
  }
}

for (const backend of BACKENDS) {
  describe(`on ${backend}`, () => {
    // The matrix products of the wasm backend round differently by their number of rows, in the last bits.
    const exact = backend !== 'wasm';

    test(`all of the vocabulary = no restriction${exact ? ', to the last bit' : ''}`, async () => {
      await useBackend(backend);
      const transformer = model();
      for (const changes of [{ beam: 1 }, { beam: 4 }, { beam: 100 }, { minLen: 3 }]) {
        const expected = await search(transformer, undefined, SOURCES, changes);
        const found = await search(transformer, all, SOURCES, changes);
        if (exact) assert.deepEqual(found, expected);
        assert.deepEqual(
          found.map((list) => list.map(({ tokens }) => tokens)),
          expected.map((list) => list.map(({ tokens }) => tokens)),
        );
      }
      transformer.dispose();
    });

    test('cached and restricted = uncached, with all other ids impossible; at any beam and least length', async () => {
      await useBackend(backend);
      const transformer = model();
      const sources = SOURCES.slice(0, 8);
      const table = new TableModel(SIZE, uncached(transformer, some));
      for (const changes of [{ beam: 1 }, { beam: 3 }, { beam: 60 }, { beam: 3, minLen: 4 }]) {
        const expected = await beamSearch(table, pack(sources), { ...OPTIONS, ...changes });
        const found = await search(transformer, some, sources, changes);
        found.forEach((hypotheses, sentence) => {
          const allowed = new Set(some(Int32Array.from(sources[sentence])));
          assert.equal(hypotheses.length, expected[sentence].length);
          hypotheses.forEach(({ tokens, score, logProbs }, rank) => {
            assert.ok(tokens.every((id) => allowed.has(id) && id !== PAD));
            assert.ok(logProbs.every(Number.isFinite));
            assert.deepEqual(tokens, expected[sentence][rank].tokens, `sentence ${sentence}, rank ${rank}`);
            assert.ok(Math.abs(score - expected[sentence][rank].score) < 1e-4);
          });
        });
      }
      transformer.dispose();
    });

    test(`a batch of ${SOURCES.length} = ${SOURCES.length} batches of 1${exact ? ', to the last bit' : ''}`, async () => {
      await useBackend(backend);
      const transformer = model();
      const together = await search(transformer, some, SOURCES);
      for (const [i, source] of SOURCES.entries()) {
        const [alone] = await search(transformer, some, [source]);
        if (exact) assert.deepEqual(together[i], alone, `sentence ${i}`);
        assert.deepEqual(
          together[i].map(({ tokens }) => tokens),
          alone.map(({ tokens }) => tokens),
        );
      }
      transformer.dispose();
    });

    test('no tensor is left behind, and the whole projection is not prepared', async () => {
      await useBackend(backend);
      const transformer = model();
      const before = tf.memory().numTensors;
      const decoder = new IncrementalDecoder(transformer, 'float32', some);
      await beamSearch(decoder, pack(SOURCES), OPTIONS);
      const kept = tf.memory().numTensors;
      await beamSearch(decoder, pack(SOURCES), OPTIONS);
      assert.equal(tf.memory().numTensors, kept, 'a second batch leaves nothing');
      decoder.dispose();
      assert.equal(tf.memory().numTensors, before);
      transformer.dispose();
    });
  });
}
