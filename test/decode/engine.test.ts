import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { initBackend } from '../../src/backend/init.js';
import { DamageError, UserError } from '../../src/common/errors.js';
import { EOS } from '../../src/data/dictionary.js';
import { type EngineOptions, openEngine, paysSeveral, settleStreams } from '../../src/decode/engine.js';
import type { Hypothesis, SearchOptions } from '../../src/decode/search.js';
import type { Wishes } from '../../src/decode/search-options.js';
import { searchWith } from '../../src/decode/sentence-queue.js';
import { Shortlist } from '../../src/decode/shortlist.js';
import { IncrementalDecoder } from '../../src/model/incremental.js';
import { Transformer } from '../../src/model/transformer.js';
import { tf } from '../../src/ops/tf.js';
import { BACKENDS, tinyConfig, VOCABULARY } from '../model/models.js';

const missing = !BACKENDS.includes('native') && 'the native engine is not built';
const LIMITS = { maxTokens: 100, batchSize: 12 };
const SEARCH = { ...LIMITS, beam: 3, lenpen: 1, maxLenA: 0, maxLenB: 6, minLen: 1, maxPositions: 16 };
const PLAIN: EngineOptions = { precision: 'float32', streams: null, beam: 3, shortlist: null };

const SOURCES = Array.from({ length: 70 }, (_, i) =>
  Int32Array.from([...Array.from({ length: (i * 5) % 9 }, (_, j) => 4 + ((7 * i + 3 * j * j) % 12)), EOS]),
);

const newModel = (changes: Parameters<typeof tinyConfig>[0] = {}) =>
  Transformer.create(tinyConfig(changes), VOCABULARY, 3);

async function translated(
  search: ReturnType<typeof searchWith>,
  sources = SOURCES,
  changes: Partial<SearchOptions> = {},
  wishes?: readonly Wishes[],
): Promise<Hypothesis[][]> {
  const found: Hypothesis[][] = [];
  const tell = (place: number, hypotheses: Hypothesis[]): void => {
    assert.equal(found[place], undefined, 'told once');
    found[place] = hypotheses;
  };
  await search(sources, { ...SEARCH, ...changes }, tell, wishes);
  return found;
}

describe('on the native engine', { skip: missing }, () => {
  test('one, two and three streams: to the last bit what the model gives, with norms before, after and none', async () => {
    for (const residual of ['admin', 'pre-ln', 'rezero'] as const) {
      const backend = await initBackend('native', 3);
      const model = newModel({ residual });
      const expected = await translated(searchWith(new IncrementalDecoder(model)));
      model.dispose();
      const before = tf.memory().numTensors;
      for (const streams of residual === 'admin' ? [1, 2, 3] : [2]) {
        const engine = await openEngine(backend, () => newModel({ residual }), { ...PLAIN, streams });
        for (const round of [1, 2])
          assert.deepEqual(await translated(engine.search), expected, `${streams}, ${round}`);
        assert.deepEqual(await translated(engine.search, []), []);
        engine.dispose();
      }
      assert.equal(tf.memory().numTensors, before, 'no tensor is left behind');
    }
  });

  test('learned positions, embeddings that are not shared, a shortlist, other precisions', async () => {
    const backend = await initBackend('native', 2);
    const changes = { residual: 'pre-ln', positions: 'learned', shareEmbeddings: 'none' } as const;
    const shortlist = new Shortlist({
      frequent: Int32Array.of(5, 9, 11),
      counts: new Int32Array(VOCABULARY.source).fill(1),
      targets: Int32Array.from({ length: VOCABULARY.source }, (_, id) => 4 + (id % (VOCABULARY.target - 4))),
    });
    for (const precision of ['float32', 'bfloat16', 'int8'] as const) {
      for (const list of [null, shortlist]) {
        const model = newModel(changes);
        const candidates = list?.candidates.bind(list);
        const expected = await translated(searchWith(new IncrementalDecoder(model, precision, candidates)));
        const engine = await openEngine(backend, () => model, {
          ...PLAIN,
          precision,
          streams: 2,
          shortlist: list,
        });
        assert.deepEqual(await translated(engine.search), expected, `${precision}, ${list && 'shortlist'}`);
        engine.dispose();
      }
    }
  });

  test('samples, groups, and what is wished of lines: the same on any number of streams, with a shortlist, too', async () => {
    const backend = await initBackend('native', 2);
    const wishes = SOURCES.map((_, line) => ({ line, prefix: line % 2 ? [5] : [], forbidden: [[7, 8]] }));
    const needy = wishes.map((wish, i) => ({ ...wish, required: i % 3 ? [] : [[9], [11, 5]] }));
    const shortlist = new Shortlist({
      frequent: Int32Array.of(5, 9, 11, 12),
      counts: new Int32Array(VOCABULARY.source),
      targets: new Int32Array(0),
    });
    for (const list of [null, shortlist])
      for (const [changes, given] of [
        [{ sampling: true, beam: 2, seed: 7, samplingTopk: 5 }, wishes],
        [{ beam: 4, diverseBeamGroups: 2, noRepeatNgramSize: 2 }, wishes],
        [{ repetitionPenalty: 1.2 }, needy],
      ] as const) {
        const found = [];
        for (const streams of [1, 2]) {
          const engine = await openEngine(backend, () => newModel(), { ...PLAIN, streams, shortlist: list });
          found.push(await translated(engine.search, SOURCES, changes, given));
          engine.dispose();
        }
        assert.deepEqual(found[0], found[1]);
        found[0].forEach((hypotheses, i) => {
          for (const { tokens } of hypotheses) assert.ok(i % 2 === 0 || tokens[0] === 5);
        });
      }
  });

  test('translations that are asked for at once: each is told its own', async () => {
    const backend = await initBackend('native', 2);
    const engine = await openEngine(backend, () => newModel(), { ...PLAIN, streams: 2 });
    const parts = [SOURCES.slice(0, 40), SOURCES.slice(40), SOURCES.slice(10, 30)];
    const apart: Hypothesis[][][] = [];
    for (const part of parts) apart.push(await translated(engine.search, part));
    assert.deepEqual(await Promise.all(parts.map((part) => translated(engine.search, part))), apart);
    engine.dispose();
  });

  test('sentences that come one by one: to the last bit those of a search of all, while others are searched', async () => {
    const backend = await initBackend('native', 2);
    const engine = await openEngine(backend, () => newModel(), PLAIN);
    const expected = await translated(engine.search);
    const running = engine.searchAsTheyCome(SEARCH);
    const one = Promise.all(SOURCES.map((source) => running.search(source)));
    assert.deepEqual(await translated(engine.search), expected);
    assert.deepEqual(await one, expected);
    engine.dispose();
  });

  test('sentences with wishes have lanes of their own on the same threads', async () => {
    const backend = await initBackend('native', 2);
    const engine = await openEngine(backend, () => newModel(), PLAIN);
    const wishes = SOURCES.map((_, line) => ({ line, prefix: [5], how: { noRepeatNgramSize: 2 } }));
    const [plain, heeding] = [engine.searchAsTheyCome(SEARCH), engine.searchAsTheyCome(SEARCH, true)];
    const one = SOURCES.map((source) => plain.search(source));
    const other = SOURCES.map((source, i) => heeding.search(source, undefined, wishes[i]));
    assert.deepEqual(await Promise.all(one), await translated(engine.search));
    assert.deepEqual(await Promise.all(other), await translated(engine.search, SOURCES, {}, wishes));
    engine.dispose();
  });

  test('a model without finite probabilities is refused, whichever stream finds out', async () => {
    const backend = await initBackend('native', 2);
    const model = newModel();
    const [table] = model.weights.values();
    tf.tidy(() => table.assign(tf.mul(table, NaN)));
    const engine = await openEngine(backend, () => model, { ...PLAIN, streams: 2 });
    for (let round = 0; round < 2; round++)
      await assert.rejects(translated(engine.search), (error: Error) => {
        assert.ok(error instanceof UserError && !(error instanceof DamageError));
        assert.match(error.message, /no finite probability/);
        return true;
      });
    engine.dispose();
  });

  test('whether work is worth several streams', () => {
    const [few, many] = [SOURCES.slice(0, 31), SOURCES];
    const small = { elements: { source: 1e3, target: 1e3 }, beam: 5, most: 2, running: false };
    const large = { ...small, elements: { source: 1e8, target: 1e8 } };
    assert.equal(paysSeveral(few, large), false, 'too few to fill the batches');
    assert.equal(paysSeveral(many, small), false, 'done before a thread has started');
    assert.equal(paysSeveral(many, large), true);
    assert.equal(paysSeveral(many, { ...small, running: true }), true);
    assert.equal(paysSeveral(many, { ...large, most: 1 }), false);
  });
});

test('streams that cannot be: more than threads, or on another backend', async () => {
  const cpu = await initBackend('cpu');
  settleStreams(cpu, null);
  settleStreams(cpu, 1);
  assert.throws(() => settleStreams(cpu, 2), /several streams need the native backend; found cpu/);
  const native = { ...cpu, name: 'native', threads: 2 } as const;
  settleStreams(native, 2);
  assert.throws(() => settleStreams(native, 3), /at most as many streams as threads, found 3 and 2/);
});

test('another backend has one stream, on this thread', async () => {
  const backend = await initBackend('cpu');
  const before = tf.memory().numTensors;
  const model = newModel();
  const expected = await translated(searchWith(new IncrementalDecoder(model)));
  const engine = await openEngine(backend, () => newModel(), PLAIN);
  assert.deepEqual(await translated(engine.search), expected);
  engine.dispose();
  model.dispose();
  assert.ok(tf.memory().numTensors >= before);
});
