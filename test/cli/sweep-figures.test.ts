import assert from 'node:assert/strict';
import * as path from 'node:path';
import { test } from 'node:test';
import { figuresOf, judge, openCell } from '../../src/cli/sweep-figures.js';
import type { MetricsPoint } from '../../src/report/training-run.js';
import { makeRun, scratchFolder } from './run-folders.js';

function lines(event: 'train' | 'valid', nll: readonly (number | undefined)[]): MetricsPoint[] {
  return nll.map((nll_loss, i) => ({
    event,
    epoch: 1,
    num_updates: i + 1,
    wall: i,
    nll_loss,
    loss: nll_loss,
  }));
}

test('the verdict goes by the last validation', () => {
  const unigram = 8;
  const verdict = (...nll: (number | undefined)[]) => judge(lines('valid', nll), 'done', unigram);
  assert.equal(verdict(12, 7, 5), 'converged');
  assert.equal(verdict(12, 7.77), 'plateau');
  assert.equal(verdict(12, 7.75), 'converged');
  assert.equal(verdict(12, 10), 'plateau');
  assert.equal(verdict(5, 6.2), 'converged');
  assert.equal(verdict(5, 6.3), 'diverged');
  assert.equal(verdict(12, undefined, 5), 'diverged');
  assert.equal(judge(lines('valid', [12, 8]), 'done', null), 'converged');
});

test('without a validation split it goes by the training; the end of the process comes first', () => {
  assert.equal(judge(lines('train', [12, 8]), 'done', 8), 'plateau');
  assert.equal(judge([...lines('train', [12, 8]), ...lines('valid', [5])], 'done', 8), 'converged');
  assert.equal(judge([], 'done', 8), 'plateau');
  assert.equal(judge(lines('valid', [5]), null, 8), 'unfinished');
  assert.equal(judge(lines('valid', [5]), 'failed', 8), 'failed');
  assert.equal(judge(lines('valid', [5]), 'diverged', 8), 'diverged');
});

test('figures of a run, and of none', () => {
  const folder = scratchFolder();
  const valid = (updates: number, loss: number) =>
    `${JSON.stringify({ event: 'valid', epoch: 1, num_updates: updates, wall: updates, loss, nll_loss: loss - 1, ppl: 2 })}\n`;
  makeRun(path.join(folder, 'a'), { metrics: valid(10, 6) + valid(20, 5) + valid(30, 5.5) });
  const record = {
    ...{ name: 'a', group: 'a', seed: 1, settings: {}, hash: '', message: null, figures: null },
  };
  const figures = figuresOf(openCell(path.join(folder, 'a'), 'a'), { ...record, end: 'done', unigram: 8 });
  assert.deepEqual(figures, {
    verdict: 'converged',
    best: { updates: 20, loss: 5, nll: 4 },
    last: { updates: 30, loss: 5.5, nll: 4.5 },
    updates: 30,
    seconds: 30,
    speed: null,
  });
  assert.equal(openCell(path.join(folder, 'b'), 'b'), undefined);
  assert.equal(figuresOf(undefined, { ...record, end: 'failed', unigram: null }).best, null);
});
