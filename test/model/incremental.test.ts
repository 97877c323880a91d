import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { pack } from '../../src/data/batch.js';
import { EOS, PAD } from '../../src/data/dictionary.js';
import { beamSearch, type Hypothesis, type SearchOptions } from '../../src/decode/search.js';
import { searchWith } from '../../src/decode/sentence-queue.js';
import type { StepModel } from '../../src/decode/step-model.js';
import { IncrementalDecoder } from '../../src/model/incremental.js';
import { Transformer } from '../../src/model/transformer.js';
import { matMul } from '../../src/ops/matmul.js';
import { tf } from '../../src/ops/tf.js';
import { logSoftmax, type Table, TableModel } from '../decode/table-model.js';
import { BACKENDS, RESIDUALS, tinyConfig, useBackend, VOCABULARY } from './models.js';

const OPTIONS: SearchOptions = { beam: 1, lenpen: 1, maxLenA: 0, maxLenB: 6, minLen: 1, maxPositions: 16 };
const EVALUATION = { training: null };

/** Sentences over the letters of the vocabulary, of lengths 1 to 9, each ending in `</s>`. */
const SOURCES: readonly number[][] = Array.from({ length: 64 }, (_, i) => [
  ...Array.from({ length: (i * 5) % 9 }, (_, j) => 4 + ((7 * i + 3 * j * j) % 12)),
  EOS,
]);

/** A model with weights far enough from their initial values that every sublayer, ReZero's too, plays a part. */
function livelyModel(changes: Parameters<typeof tinyConfig>[0]): Transformer {
  const model = Transformer.create(tinyConfig(changes), VOCABULARY, 3);
  let i = 0;
  for (const weight of model.weights.values()) {
    const values = Float32Array.from({ length: weight.size }, () => 0.4 * Math.sin(1.7 * i++));
    tf.tidy(() => weight.assign(tf.add(weight, tf.tensor(values, weight.shape))));
  }
  return model;
}

/** The model without any cache: the whole prefix goes through the decoder at each step. */
function uncached(model: Transformer): Table {
  return (source, prefix) =>
    tf.tidy(() => {
      const sources = pack([source]);
      const memory = model.encode(sources, EVALUATION);
      const hidden = model.decode(pack([[EOS, ...prefix]]), memory, sources.offsets, EVALUATION);
      const logits = matMul(hidden, model.outputWeight(), false, true).arraySync();
      return logSoftmax(logits[logits.length - 1]);
    });
}

const search = (model: StepModel, sources: readonly number[][], beam: number) =>
  beamSearch(model, pack(sources), { ...OPTIONS, beam });

for (const backend of BACKENDS) {
  describe(`on ${backend}`, () => {
    test('cached = uncached, in every scheme', async () => {
      await useBackend(backend);
      for (const residual of RESIDUALS) {
        const model = livelyModel({ residual });
        const sources = SOURCES.slice(0, 4);
        const expected = await search(new TableModel(VOCABULARY.target, uncached(model)), sources, 3);
        const found = await search(new IncrementalDecoder(model), sources, 3);
        found.forEach((hypotheses, sentence) => {
          hypotheses.forEach(({ tokens, total, score }, rank) => {
            const other = expected[sentence][rank];
            assert.deepEqual(tokens, other.tokens, `${residual}, sentence ${sentence}, rank ${rank}`);
            assert.ok(Math.abs(total - other.total) < 1e-4, `${residual}: ${total} and ${other.total}`);
            assert.ok(Math.abs(score - other.score) < 1e-4);
          });
        });
        model.dispose();
      }
    });

    // The matrix products of the wasm backend round differently by their number of rows, in the last bits.
    const exact = backend !== 'wasm';
    test(`a batch of 64 = 64 batches of 1${exact ? ', to the last bit' : ''}`, async () => {
      await useBackend(backend);
      const decoder = new IncrementalDecoder(livelyModel({ residual: 'admin' }));
      const together = await search(decoder, SOURCES, 4);
      for (const [i, source] of SOURCES.entries()) {
        const [alone] = await search(decoder, [source], 4);
        if (exact) assert.deepEqual(together[i], alone, `sentence ${i}`);
        alone.forEach(({ tokens, score }, rank) => {
          assert.deepEqual(together[i][rank].tokens, tokens, `sentence ${i}, rank ${rank}`);
          assert.ok(Math.abs(together[i][rank].score - score) < 1e-5);
        });
      }
    });

    test('a batch that is refilled = one that holds all', async () => {
      await useBackend(backend);
      const decoder = new IncrementalDecoder(livelyModel({ residual: 'admin' }));
      const together = await search(decoder, SOURCES, 4);
      const sources = SOURCES.map((source) => Int32Array.from(source));
      for (const limits of [
        { maxTokens: 1000, batchSize: 5 },
        { maxTokens: 24, batchSize: 64 },
      ]) {
        const found: Hypothesis[][] = [];
        await searchWith(decoder)(sources, { ...OPTIONS, beam: 4, ...limits }, (place, hypotheses) => {
          found[place] = hypotheses;
        });
        if (exact) assert.deepEqual(found, together);
        const tokens = (all: Hypothesis[][]) => all.map((list) => list.map((entry) => entry.tokens));
        assert.deepEqual(tokens(found), tokens(together));
      }
    });

    test('beam 1 is greedy', async () => {
      await useBackend(backend);
      const model = livelyModel({ residual: 'pre-ln', positions: 'learned', shareEmbeddings: 'none' });
      const table = uncached(model);
      const found = await search(new IncrementalDecoder(model), SOURCES, 1);
      SOURCES.slice(0, 12).forEach((source, i) => {
        assert.deepEqual(found[i][0].tokens, greedy(table, source), `sentence ${i}`);
      });
    });

    test('the whole distribution is that of the step, with a shortlist, too', async () => {
      await useBackend(backend);
      const model = livelyModel({ residual: 'admin' });
      const lists = (source: Int32Array) =>
        Int32Array.from([0, PAD, EOS, 3, ...new Set(source)].sort((a, b) => a - b)).filter(
          (id, i, all) => id !== all[i - 1],
        );
      for (const candidates of [undefined, lists]) {
        const decoder = new IncrementalDecoder(model, 'float32', candidates);
        const [one, other] = [decoder.start(), decoder.start()];
        for (const state of [one, other]) state.add(pack(SOURCES.slice(0, 9)));
        for (const token of [EOS, 5]) {
          const fed = new Int32Array(9).fill(token);
          const { ids, logProbs, endLogProbs } = await one.step(fed, 3, [PAD]);
          const all = await other.distribution(fed);
          for (let row = 0; row < 9; row++) {
            const own = all.subarray(row * VOCABULARY.target, (row + 1) * VOCABULARY.target);
            const most = own.reduce((sum, value) => sum + Math.exp(value), 0);
            assert.ok(Math.abs(most - 1) < 1e-5, `a distribution: ${most}`);
            assert.ok(Math.abs(own[EOS] - endLogProbs[row]) < 2e-6);
            for (let i = 3 * row; i < 3 * row + 3; i++)
              assert.ok(Math.abs(own[ids[i]] - logProbs[i]) < 2e-6 || own[ids[i]] === logProbs[i]);
            const kept = candidates?.(Int32Array.from(SOURCES[row]));
            if (kept !== undefined)
              own.forEach((value, id) => {
                assert.equal(value === Number.NEGATIVE_INFINITY, !kept.includes(id), `row ${row}, id ${id}`);
              });
          }
        }
        for (const state of [one, other]) state.dispose();
        decoder.dispose();
      }
      model.dispose();
    });

    test('no tensor is left behind', async () => {
      await useBackend(backend);
      const model = livelyModel({ residual: 'admin' });
      const before = tf.memory().numTensors;
      const decoder = new IncrementalDecoder(model);
      await search(decoder, SOURCES, 4);
      decoder.dispose();
      assert.equal(tf.memory().numTensors, before);
      model.dispose();
    });
  });
}

test('decoding is in float32 unless it is told otherwise, whatever the model is trained in', {
  skip: !BACKENDS.includes('native') && 'the native engine is not built',
}, async () => {
  await useBackend('native');
  const model = livelyModel({ residual: 'admin' });
  const scores = async (decoder: IncrementalDecoder): Promise<number[]> =>
    (await search(decoder, SOURCES, 2)).flatMap((found) => found.map(({ score }) => score));
  const expected = await scores(new IncrementalDecoder(model));
  model.precision = 'bfloat16';
  assert.deepEqual(await scores(new IncrementalDecoder(model)), expected);
  assert.notDeepEqual(await scores(new IncrementalDecoder(model, 'bfloat16')), expected);
  model.dispose();
});

function greedy(table: Table, source: readonly number[]): number[] {
  const tokens: number[] = [];
  while (tokens.length < OPTIONS.maxLenB) {
    const logProbs = Array.from(table(source, tokens));
    const forbidden = tokens.length < OPTIONS.minLen ? [PAD, EOS] : [PAD];
    for (const id of forbidden) logProbs[id] = Number.NEGATIVE_INFINITY;
    const best = logProbs.indexOf(Math.max(...logProbs));
    if (best === EOS) break;
    tokens.push(best);
  }
  return [...tokens, EOS];
}

test('the best of the beam is the best of an exhaustive search on a tiny vocabulary', async () => {
  await useBackend('cpu');
  const size = 6;
  const model = Transformer.create(tinyConfig({ residual: 'admin' }), { source: size, target: size }, 5);
  const table = uncached(model);
  const options = { ...OPTIONS, maxLenB: 3, beam: size - 1 };
  for (const source of [[4, 5, EOS], [5, EOS], [3, 3, 4, 5, EOS], [EOS]]) {
    const every = exhaustive(table, source, [], size, options);
    assert.equal(every.length, 4 + 16 + 64);
    const best = every.reduce((a, b) => (b.score > a.score ? b : a));
    const [[found]] = await beamSearch(new IncrementalDecoder(model), pack([source]), options);
    assert.deepEqual(found.tokens, best.tokens);
    assert.ok(Math.abs(found.score - best.score) < 1e-4);
  }
});

/** Every translation there is after a prefix. */
function exhaustive(
  table: Table,
  source: readonly number[],
  prefix: readonly number[],
  size: number,
  options: SearchOptions,
  total = 0,
): { tokens: number[]; score: number }[] {
  const logProbs = table(source, prefix);
  const ended = total + logProbs[EOS];
  const here =
    prefix.length < options.minLen
      ? []
      : [{ tokens: [...prefix, EOS], score: ended / (prefix.length + 1) ** options.lenpen }];
  if (prefix.length === options.maxLenB) return here;
  const letters = Array.from({ length: size }, (_, id) => id).filter((id) => id !== PAD && id !== EOS);
  return here.concat(
    letters.flatMap((id) => exhaustive(table, source, [...prefix, id], size, options, total + logProbs[id])),
  );
}
