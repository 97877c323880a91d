import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type BestValidation, rank } from '../../src/train/bests.js';

const valid = (updates: number, loss: number, bleu?: number): BestValidation => ({
  epoch: 1,
  updates,
  loss,
  bleu,
});

/** Ranks one after another. @returns the updates of the best ones, and the place of the last one */
function rankAll(list: readonly BestValidation[], metric: 'loss' | 'bleu', keep: number): [number[], number] {
  let bests: BestValidation[] = [];
  let place = -1;
  for (const found of list) ({ bests, place } = rank(bests, found, metric, keep));
  return [bests.map(({ updates }) => updates), place];
}

test('the lowest loss, or the highest score, is the best', () => {
  const list = [valid(1, 4, 10), valid(2, 2, 5), valid(3, 3, 20)];
  assert.deepEqual(rankAll(list, 'loss', 3), [[2, 3, 1], 1]);
  assert.deepEqual(rankAll(list, 'bleu', 3), [[3, 1, 2], 0]);
  assert.deepEqual(rankAll(list, 'loss', 1), [[2], -1]);
});

test('of equal ones the earlier is the better', () => {
  assert.deepEqual(rankAll([valid(1, 2), valid(2, 2), valid(3, 2)], 'loss', 2), [[1, 2], -1]);
});

test('a validation without the metric has no place, and one of before that lacks it is worse than any', () => {
  assert.deepEqual(rankAll([valid(1, 2, 5), valid(2, 1)], 'bleu', 2), [[1], -1]);
  assert.deepEqual(rank([valid(1, 2)], valid(2, 3, 1), 'bleu', 2).place, 0);
});
