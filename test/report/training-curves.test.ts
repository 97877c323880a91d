import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { clockOf, runCurves, thin } from '../../src/report/training-curves.js';
import { line, trainingRun, valid } from './training-lines.js';

test('a long curve keeps its ends, its extremes and its order, and few points', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ noNaN: true }), { minLength: 1, maxLength: 300 }),
      fc.integer({ min: 4, max: 50 }),
      (values, most) => {
        const kept = thin(values, most);
        assert.ok(kept.length <= Math.max(most, 0));
        assert.deepEqual(
          kept,
          [...new Set(kept)].sort((a, b) => a - b),
        );
        assert.deepEqual([kept[0], kept.at(-1)], [0, values.length - 1]);
        const found = kept.map((i) => values[i]);
        assert.equal(Math.min(...found), Math.min(...values));
        assert.equal(Math.max(...found), Math.max(...values));
      },
    ),
  );
  assert.deepEqual(thin([], 10), []);
});

test('a curve that stays where it is keeps one point of each stretch', () => {
  assert.deepEqual(thin(Array(10).fill(1), 6), [0, 1, 5, 9]);
});

test('epochs are counted by the updates that end them, the last taken to be as long as those before', () => {
  const lines = [line(10, 1), line(20, 1), valid(25, 1, 5), line(30, 2), line(50, 2), line(60, 3)];
  const { updates, epochs, hours } = clockOf(lines);
  assert.deepEqual(updates, [0, 10, 20, 30, 50, 60]);
  assert.deepEqual(epochs, [0, 0.4, 0.8, 1.2, 2, 2.4]);
  assert.deepEqual(hours, [0, 0.1, 0.2, 0.3, 0.5, 0.6]);
});

test('a clock without lines of training goes by the validations', () => {
  const { updates, hours } = clockOf([valid(10, 1, 6), valid(20, 2, 5)]);
  assert.deepEqual(
    [updates, hours],
    [
      [0, 10, 20],
      [0, 0.1, 0.2],
    ],
  );
});

test('a clock without lines stands at zero', () => {
  assert.deepEqual(clockOf([]), { updates: [0], epochs: [0], hours: [0] });
});

test('each chart has its curve; figures that are missing leave no point', () => {
  const lines = [line(10, 1), line(20, 1, { loss: undefined }), valid(20, 1, 4.5)];
  const { curves } = runCurves({ name: 'a', lines });
  assert.deepEqual(curves['train-loss'], { updates: [10], values: [5] });
  assert.deepEqual(curves['train-lr'], { updates: [10, 20], values: [0.001, 0.001] });
  assert.deepEqual(curves['valid-loss'], { updates: [20], values: [4.5] });
});

test('lines that a resumption wrote again replace those before', () => {
  const lines = [line(10, 1), line(20, 1, { loss: 9 }), line(30, 1), line(20, 1, { loss: 4 })];
  const { curves } = runCurves({ name: 'a', lines });
  assert.deepEqual(curves['train-loss'], { updates: [10, 20], values: [5, 4] });
});

test('a run of many lines stays light', () => {
  const lines = Array.from({ length: 50_000 }, (_, i) =>
    line(i + 1, 1, { loss: i === 777 ? 99 : Math.sin(i) + 2 }),
  );
  const run = runCurves(trainingRun('long', { lines }));
  assert.ok(run.curves['train-loss'].updates.length <= 2000);
  assert.equal(Math.max(...run.curves['train-loss'].values), 99);
  assert.ok(run.clock.updates.length <= 502);
  assert.ok(JSON.stringify(run).length < 500_000);
});
