import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { ContinuousSearch, laneOf } from '../../src/decode/continuous-search.js';
import type { Hypothesis } from '../../src/decode/search.js';
import type { Wishes } from '../../src/decode/search-options.js';
import { searchWith } from '../../src/decode/sentence-queue.js';
import { hashTable, TableModel } from './table-model.js';

const SIZE = 20;
const LIMITS = { maxTokens: 40, batchSize: 6 };
const OPTIONS = { beam: 3, lenpen: 1, maxLenA: 1, maxLenB: 5, minLen: 1, maxPositions: 40, ...LIMITS };
const SOURCES = Array.from({ length: 50 }, (_, i) =>
  Int32Array.from([...Array.from({ length: 1 + ((i * 5) % 13) }, (_, j) => 4 + ((7 * i + 3 * j) % 16)), 2]),
);
const newModel = () => new TableModel(SIZE, hashTable(SIZE, 5));

async function expected(): Promise<Hypothesis[][]> {
  const found: Hypothesis[][] = [];
  await searchWith(newModel())(SOURCES, OPTIONS, (place, hypotheses) => {
    found[place] = hypotheses;
  });
  return found;
}

test('whenever a sentence comes, its translations are those of a search of all', async () => {
  const models = [newModel(), newModel()];
  const search = new ContinuousSearch(
    models.map((model) => laneOf(model, OPTIONS)),
    LIMITS,
  );
  const found: Promise<Hypothesis[]>[] = [];
  for (const [i, source] of SOURCES.entries()) {
    found.push(search.search(source));
    for (let turn = 0; turn < i % 4; turn++) await setImmediate();
  }
  assert.deepEqual(await Promise.all(found), await expected());
  assert.deepEqual([search.waiting, search.waitingTokens, search.running], [0, 0, 0]);
  for (const { rowsPerStep } of models) assert.ok(Math.max(...rowsPerStep) > 3, 'they share batches');
  for (const { sourcesPerStep } of models)
    for (const lengths of sourcesPerStep) {
      assert.ok(lengths.length <= LIMITS.batchSize);
      assert.ok(lengths.length === 1 || lengths.reduce((a, b) => a + b) <= LIMITS.maxTokens);
    }
  search.end();
  await setImmediate();
  assert.deepEqual(
    models.map(({ open }) => open),
    [0, 0],
  );
  await assert.rejects(search.search(SOURCES[0]), /the model is closed/);
});

test('what is wished of a sentence holds for it, whatever shares its batch', async () => {
  const search = new ContinuousSearch([laneOf(newModel(), OPTIONS, true)], LIMITS);
  const wishes = SOURCES.map((_, line): Wishes | undefined =>
    [
      undefined,
      { line, prefix: [7, 8] },
      { line, how: { sampling: true, beam: 2, seed: 3 } },
      { line, how: { beam: 4, diverseBeamGroups: 2, diverseBeamStrength: 3, unk: 'forbid' as const } },
      { line, required: [[9, 5], [6]], how: { constraints: 'ordered' as const } },
    ].at(line % 5),
  );
  const found = await Promise.all(SOURCES.map((source, i) => search.search(source, undefined, wishes[i])));
  search.end();
  for (const [i, source] of SOURCES.entries()) {
    const alone: Hypothesis[][] = [];
    const { how, ...wish } = wishes[i] ?? { line: i };
    const options = { ...OPTIONS, ...how };
    await searchWith(newModel())([source], options, (_, hypotheses) => alone.push(hypotheses), [wish]);
    assert.deepEqual(found[i], alone[0], JSON.stringify(wishes[i]));
  }
});

test('a sentence that nobody waits for any more is not begun', async () => {
  const model = newModel();
  const search = new ContinuousSearch([laneOf(model, OPTIONS)], LIMITS);
  const controller = new AbortController();
  const kept = SOURCES.slice(0, 10).map((source) => search.search(source));
  const dropped = SOURCES.slice(10).map((source) => search.search(source, controller.signal));
  controller.abort(new Error('gone'));
  const outcomes = await Promise.allSettled(dropped);
  assert.ok(outcomes.every((outcome) => outcome.status === 'rejected' && outcome.reason.message === 'gone'));
  assert.deepEqual(await Promise.all(kept), (await expected()).slice(0, 10));
  assert.deepEqual([search.waiting, search.waitingTokens], [0, 0]);
  await assert.rejects(search.search(SOURCES[0], controller.signal), /gone/);
  search.end();
});

test('a search that fails loses its own sentences, and goes on', async () => {
  const table = hashTable(SIZE, 5);
  const bad = new TableModel(SIZE, (source, prefix) =>
    source[0] === 9 ? new Array(SIZE).fill(NaN) : table(source, prefix),
  );
  const search = new ContinuousSearch([laneOf(bad, OPTIONS)], LIMITS);
  await assert.rejects(search.search(Int32Array.of(9, 2)), /no finite probability/);
  assert.equal(search.failure, undefined);
  assert.equal((await search.search(Int32Array.of(5, 2))).length, 3);
  search.end();
});

test('without a lane that lives everything is refused with what has ended the last one', async () => {
  let lose: (error: unknown, over: boolean) => void = () => {};
  const search = new ContinuousSearch(
    [
      ({ failed }) => {
        lose = failed;
        return { give: () => {}, end: () => {} };
      },
    ],
    LIMITS,
  );
  const all = SOURCES.map((source) => search.search(source));
  await setImmediate();
  await setImmediate();
  assert.ok(search.running > 0 && search.waiting > 0);
  lose(new Error('a thread ended'), true);
  for (const outcome of await Promise.allSettled(all)) assert.equal(outcome.status, 'rejected');
  assert.match(String(search.failure), /a thread ended/);
  await assert.rejects(search.search(SOURCES[0]), /a thread ended/);
});
