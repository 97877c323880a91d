import assert from 'node:assert/strict';
import { test } from 'node:test';
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
const pairsOf = (batches: EpochBatches): number[] =>
  Array.from({ length: batches.updates }, (_, i) => batches.ofUpdate(2 * i))
    .flat()
    .flatMap(({ indices }) => [...indices]);

async function begun(epoch: number): Promise<EpochBatches> {
  const batches = new EpochBatches(options);
  assert.ok(await batches.begin(epoch));
  return batches;
}

test('an epoch has every pair once, and the next one has them in another order', async () => {
  const batches = await begun(1);
  const first = pairsOf(batches);
  assert.deepEqual(
    first.toSorted((a, b) => a - b),
    [...Array(20).keys()],
  );
  await batches.begin(2);
  assert.notDeepEqual(pairsOf(batches), first);
  assert.deepEqual(pairsOf(await begun(2)), pairsOf(batches), 'resumed in the second');
});

test('the last update of an epoch may have fewer batches', async () => {
  const batches = await begun(1);
  const { length } = batches;
  assert.equal(batches.plan.length, length);
  assert.equal(batches.updates, Math.ceil(length / 2));
  assert.equal(batches.ofUpdate(length - 1).length, 1);
  assert.deepEqual([batches.isDone(length - 1), batches.isDone(length)], [false, true]);
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
