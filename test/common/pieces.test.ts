import assert from 'node:assert/strict';
import { test } from 'node:test';
import { finishHearing, finishNow, type Pieces } from '../../src/common/pieces.js';

function* count(to: number): Pieces<number> {
  for (let i = 0; i < to; i++) yield;
  return to;
}

test('work comes to the same at once and in pieces', async () => {
  assert.equal(finishNow(count(3)), 3);
  assert.equal(await finishHearing(count(3), () => false), 3);
});

test('between two pieces others have their turn, and may give the work up', async () => {
  let isOver = false;
  setImmediate(() => {
    isOver = true;
  });
  assert.equal(await finishHearing(count(Infinity), () => isOver), undefined);
});
