import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Deadline, expectedEnd } from '../../src/train/stopping.js';
import { tinyTrainConfig } from './tiny.js';

const ends = (changes: Parameters<typeof tinyTrainConfig>[0], spent = 0) =>
  expectedEnd(tinyTrainConfig({ maxUpdate: null, maxEpoch: null, stopTime: null, ...changes }), 10, spent);

test('what is known of the end: updates by the stricter of two keys, and time', () => {
  assert.deepEqual(ends({}), { total: undefined, timeLimit: undefined });
  assert.equal(ends({ maxUpdate: 25, maxEpoch: 2 }).total, 20);
  assert.equal(ends({ maxUpdate: 15, maxEpoch: 2 }).total, 15);
  assert.deepEqual(ends({ stopTime: 2 }, 30).timeLimit, { whole: 120, spent: 30 });
});

test('a deadline leaves time for one more update and a save, each twice as long as the longest so far', () => {
  assert.equal(new Deadline(null).isNear(1e9), false);
  assert.equal(new Deadline(1).isNear(0), true, 'a first save is trusted to take two seconds');
  const deadline = new Deadline(100);
  deadline.note(10);
  deadline.note(3);
  assert.equal(deadline.isNear(30), false);
  assert.equal(deadline.isNear(41), true);
});
