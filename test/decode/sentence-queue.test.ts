import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Hypothesis } from '../../src/decode/search.js';
import { SentenceQueue, searchQueue, searchWith } from '../../src/decode/sentence-queue.js';
import { hashTable, TableModel } from './table-model.js';

const SOURCES = Array.from({ length: 23 }, (_, i) =>
  Int32Array.from([...Array.from({ length: (i * 7) % 11 }, (_, j) => 4 + ((i + 3 * j) % 16)), 2]),
);
const OPTIONS = { beam: 3, lenpen: 1, maxLenA: 0.7, maxLenB: 2, minLen: 1, maxPositions: 40 };

describe('the queue', () => {
  test('the longest first, each once, by whatever number of takers, within their limits unless alone', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 30 }), { maxLength: 40 }),
        fc.array(fc.record({ maxTokens: fc.nat({ max: 60 }), batchSize: fc.nat({ max: 5 }) }), {
          minLength: 1,
        }),
        (lengths, limits) => {
          const sources = lengths.map((length, i) => new Int32Array(length).fill(i));
          const queue = SentenceQueue.of(sources);
          const takers = limits.map(() => new SentenceQueue(queue.parts));
          const places: number[] = [];
          for (let turn = 0; places.length < lengths.length; turn++) {
            const limit = limits[turn % limits.length];
            const alone = turn % 3 === 0;
            const room = alone ? { ...limit, batchSize: limit.batchSize + 1 } : limit;
            const taken = takers[turn % takers.length].take(room, alone);
            assert.ok(taken.length <= room.batchSize);
            const tokens = taken.reduce((sum, place) => sum + lengths[place], 0);
            assert.ok(tokens <= room.maxTokens || (alone && taken.length === 1));
            for (const place of taken) assert.deepEqual(queue.sentence(place), sources[place]);
            places.push(...taken);
          }
          const given = places.map((place) => lengths[place]);
          assert.deepEqual(
            given,
            [...lengths].sort((a, b) => b - a),
          );
          assert.equal(new Set(places).size, lengths.length);
          assert.deepEqual([...queue.take({ maxTokens: 99, batchSize: 9 }, true)], []);
        },
      ),
      { seed: 17, numRuns: 100 },
    );
  });
});

describe('searches that take of one queue', () => {
  const table = hashTable(20, 5);
  const alone = async (): Promise<Hypothesis[][]> => {
    const found: Hypothesis[][] = [];
    for (const [i, source] of SOURCES.entries())
      await searchWith(new TableModel(20, table))(
        [source],
        { ...OPTIONS, maxTokens: 99, batchSize: 1 },
        (_, hypotheses) => {
          found[i] = hypotheses;
        },
      );
    return found;
  };

  test('find together what each sentence has alone, whatever the batch', async () => {
    const expected = await alone();
    for (const [maxTokens, batchSize] of [
      [99, 1],
      [99, 4],
      [13, 99],
      [1, 2],
      [999, 999],
    ]) {
      const queue = SentenceQueue.of(SOURCES);
      const models = [1, 2, 3].map(() => new TableModel(20, table));
      const found: Hypothesis[][] = [];
      await Promise.all(
        models.map((model) =>
          searchQueue(model, queue, { ...OPTIONS, maxTokens, batchSize }, (place, hypotheses) => {
            assert.equal(found[place], undefined, 'told once');
            found[place] = hypotheses;
          }),
        ),
      );
      assert.deepEqual(found, expected, `${maxTokens} tokens, ${batchSize} sentences`);
      for (const model of models) {
        assert.equal(model.open, 0);
        for (const lengths of model.sourcesPerStep) {
          const tokens = lengths.reduce((sum, length) => sum + length, 0);
          assert.ok(
            lengths.length <= batchSize && (tokens <= maxTokens || lengths.length === 1),
            String(lengths),
          );
        }
      }
    }
  });

  test('what has ended makes room: a batch stays nearly full until nothing is left', async () => {
    const model = new TableModel(20, table);
    const sources = Array.from({ length: 200 }, (_, i) => SOURCES[i % SOURCES.length]);
    await searchWith(model)(sources, { ...OPTIONS, beam: 1, maxTokens: 999, batchSize: 16 }, () => {});
    const last = model.rowsPerStep.lastIndexOf(16);
    const full = model.rowsPerStep.slice(0, last);
    assert.ok(
      full.every((rows) => rows > 0.75 * 16 - 1 && rows <= 16),
      String(full),
    );
    assert.ok(last > 20);
  });
});
