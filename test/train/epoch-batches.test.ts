import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { EpochBatches } from '../../src/train/epoch-batches.js';
import type { TrainerOptions } from '../../src/train/training.js';
import { copyTask, ORIGIN, tinyTrainConfig } from './tiny.js';

const options: TrainerOptions = {
  config: tinyTrainConfig({ maxTokens: 25, updateFreq: 2 }),
  seed: 1,
  maxPositions: 16,
  origin: ORIGIN,
  runDirectory: '',
  train: copyTask(20),
  valid: null,
  interrupted: () => undefined,
};
async function pairsOf(batches: EpochBatches): Promise<number[]> {
  const updates = [];
  for (let i = 0; i < batches.updates; i++) updates.push(await batches.ofUpdate(2 * i));
  return updates.flat().flatMap(({ indices }) => [...indices]);
}

async function begun(epoch: number, train = options.train): Promise<EpochBatches> {
  const batches = new EpochBatches({ ...options, train });
  assert.ok(await batches.begin(epoch));
  return batches;
}

test('an epoch has every pair once, and the next one has them in another order', async () => {
  const batches = await begun(1);
  const first = await pairsOf(batches);
  assert.deepEqual(
    first.toSorted((a, b) => a - b),
    [...Array(20).keys()],
  );
  await batches.begin(2);
  assert.notDeepEqual(await pairsOf(batches), first);
  assert.deepEqual(await pairsOf(await begun(2)), await pairsOf(batches), 'resumed in the second');
});

test('the last update of an epoch may have fewer batches', async () => {
  const batches = await begun(1);
  const { length } = batches;
  assert.equal(batches.plan.length, length);
  assert.equal(batches.updates, Math.ceil(length / 2));
  assert.equal((await batches.ofUpdate(length - 1)).length, 1);
  assert.deepEqual([batches.isDone(1, length - 1), batches.isDone(1, length)], [false, true]);
});

test('planning is given up where somebody asks for it, and done once for an epoch', async () => {
  const length = 2 ** 20;
  const many = {
    sourceLengths: new Int32Array(length).fill(5),
    targetLengths: new Int32Array(length).fill(6),
  };
  const batches = new EpochBatches({ ...options, train: { ...options.train, ...many } });
  assert.equal(await batches.begin(1, () => true), false);
  assert.equal(await batches.begin(1), true);
  const { plan } = batches;
  assert.equal(await batches.begin(1, () => true), true, 'it is there already');
  assert.equal(batches.plan, plan);
});

test('batches are read before they are wanted, and are the same', async () => {
  const train = copyTask(100);
  const asked: number[][] = [];
  const slow = {
    ...train,
    pairs: async (indices: Int32Array) => {
      asked.push([...indices]);
      await setTimeout(1);
      return Array.from(indices, (i) => train.pair(i));
    },
  };
  const batches = new EpochBatches({ ...options, train: slow });
  await batches.begin(1);
  const expected = await begun(1, train);
  assert.deepEqual(await batches.ofUpdate(0), await expected.ofUpdate(0));
  const whole = Array.from(expected.plan, (batch) => [...batch]);
  assert.deepEqual(asked, whole.slice(0, 10), 'those of this update and of more than one after it');
  for (let i = 1; i < batches.updates; i++)
    assert.deepEqual(await batches.ofUpdate(2 * i), await expected.ofUpdate(2 * i));
  assert.deepEqual(asked, whole, 'each is read once');
  await batches.begin(2);
  assert.notDeepEqual(await batches.ofUpdate(0), await expected.ofUpdate(0));
  await batches.idle();
});

test('a batch that cannot be read is an error where it is wanted, not before', async () => {
  const train = copyTask(100);
  const bad = (await begun(1, train)).plan.batch(4);
  const pairs = async (indices: Int32Array) => {
    if (indices[0] === bad[0]) throw new Error('no such bytes');
    return Array.from(indices, (i) => train.pair(i));
  };
  const batches = new EpochBatches({ ...options, train: { ...train, pairs } });
  await batches.begin(1);
  for (const position of [0, 2]) assert.equal((await batches.ofUpdate(position)).length, 2);
  await setTimeout(1);
  await assert.rejects(batches.ofUpdate(4), /no such bytes/);
});
