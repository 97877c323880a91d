import assert from 'node:assert/strict';
import * as path from 'node:path';
import { test } from 'node:test';
import type { MetricsPoint } from '../../../src/report/training-run.js';
import { figuresOf, judge, openCell } from '../../../src/workflows/sweep/figures.js';
import { makeRun, scratchFolder } from '../../cli/run-folders.js';

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

/** A curve with a point every `step` updates up to `end`. */
function curve(
  event: 'train' | 'valid',
  end: number,
  step: number,
  bits: (updates: number) => number,
): MetricsPoint[] {
  const points = Array.from({ length: end / step }, (_, i) => (i + 1) * step);
  return points.map((updates, i) => ({ ...lines(event, [bits(updates)])[0], num_updates: updates, wall: i }));
}

const UNIGRAM = 8.43;
/** As training losses are: windows of few sentences, some harder than others. */
const noise = (updates: number): number => 0.1 * Math.sin(updates * 12.9898);
/** The verdict on a training whose validations, each 55 updates, and training losses, each 10, go this way. */
const verdictOn = (bits: (updates: number) => number, end = 275): string =>
  judge(
    [
      ...curve('train', end, 10, (updates) => bits(updates) + noise(updates)),
      ...curve('valid', end, 55, bits),
    ],
    'done',
    UNIGRAM,
  );

test('level and slope make the verdict', () => {
  const towards = (level: number, start: number, time: number) => (updates: number) =>
    level + (start - level) * Math.exp(-updates / time);
  assert.equal(verdictOn(towards(4, 13, 30)), 'converged');
  assert.equal(verdictOn(towards(5.5, 13, 150)), 'learning');
  assert.equal(verdictOn(towards(8.44, 13, 25)), 'plateau');
  assert.equal(verdictOn(towards(11, 13, 20)), 'plateau', 'above it, and stuck');
  assert.equal(verdictOn(towards(6, 13, 400)), 'early', 'far above the plateau, and still falling');
  assert.equal(verdictOn(towards(0.97 * UNIGRAM, 13, 20)), 'plateau', '3 % below it, and stalled');
  assert.equal(verdictOn(towards(0.93 * UNIGRAM, 13, 20)), 'plateau');
  assert.equal(verdictOn(towards(0.89 * UNIGRAM, 13, 20)), 'converged');
});

test('the trainings of the headline: Post-LN rises from the plateau or stays there, Admin is learning', () => {
  const through = (...points: number[]) =>
    judge(
      curve('valid', 275, 55, (updates) => points[updates / 55 - 1]),
      'done',
      UNIGRAM,
    );
  assert.equal(through(9.9, 8.5, 8.44, 8.8, 9.15), 'plateau');
  assert.equal(through(9.9, 8.6, 8.47, 8.45, 8.44), 'plateau');
  assert.equal(through(9.6, 8.2, 7.5, 6.9, 6.41), 'learning');
  assert.equal(through(9.9, 8.5, 8.44, 9.9, 10.5), 'diverged');
});

test('the slope is that of the validations, or of the training where they are too few to tell', () => {
  const overfitted = [
    ...curve('train', 600, 10, (updates) => 6 - updates / 200),
    ...curve('valid', 600, 100, (updates) => 4 + updates / 2000),
  ];
  assert.equal(judge(overfitted, 'done', UNIGRAM), 'converged');
  const rare = (bits: number): MetricsPoint[] => [
    ...curve('train', 100, 10, (updates) => 10 - updates / 30),
    ...[90, 100].map((updates) => ({ ...lines('valid', [bits])[0], num_updates: updates })),
  ];
  assert.equal(judge(rare(7), 'done', UNIGRAM), 'converged');
  const close = rare(7).map((point) => ({
    ...point,
    num_updates: point.event === 'valid' ? 100 : point.num_updates,
  }));
  assert.equal(judge(close, 'done', UNIGRAM), 'learning', 'two at the end are too close to one another');
  assert.equal(
    judge(lines('valid', [5]), 'done', UNIGRAM),
    'learning',
    'nothing shows that it has come to its end',
  );
});

test('a loss that rose and stayed high, or is no number, has diverged', () => {
  const verdict = (...nll: (number | undefined)[]) => judge(lines('valid', nll), 'done', 8);
  assert.equal(verdict(12, 5, 5, 6.2), 'converged');
  assert.equal(verdict(5, 5, 6.3), 'diverged');
  assert.equal(verdict(12, undefined, 5), 'diverged');
});

test('where the plateau is not known the slope alone tells', () => {
  assert.equal(
    judge(
      curve('valid', 300, 10, () => 8),
      'done',
      null,
    ),
    'converged',
  );
  assert.equal(
    judge(
      curve('valid', 300, 10, (updates) => 12 - updates / 50),
      'done',
      null,
    ),
    'learning',
  );
  assert.equal(judge([], 'done', null), 'early');
});

test('without a validation split it goes by the training; the end of the process comes first', () => {
  const flat = curve('train', 300, 10, (updates) => 8 + noise(updates));
  assert.equal(judge(flat, 'done', 8), 'plateau');
  assert.equal(judge([...flat, ...curve('valid', 300, 50, () => 5)], 'done', 8), 'converged');
  assert.equal(judge([], 'done', 8), 'early');
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
