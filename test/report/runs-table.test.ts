import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatBytes, formatRuns } from '../../src/report/runs-table.js';
import { trainingRun } from './training-lines.js';

test('columns stand under their heads', () => {
  const runs = [
    { ...trainingRun('a'), age: 5, bytes: 12 },
    { ...trainingRun('longer', { best: null, updates: 12345 }), age: 7200, bytes: 2.5e6 },
  ];
  assert.deepEqual(formatRuns(runs), [
    'run     state     updates  epoch  best valid loss  changed    size',
    'a       finished       40      2            4.500  5 s ago    12 B',
    'longer  finished    12345      2                –  2 h ago  2.5 MB',
  ]);
});

test('BLEU stands there where a run has it', () => {
  const runs = [
    { ...trainingRun('a'), age: 5, bytes: 12 },
    { ...trainingRun('b', { bestScores: { bleu: 12.345, chrf: 40 } }), age: 5, bytes: 12 },
  ];
  assert.deepEqual(formatRuns(runs), [
    'run  state     updates  epoch  best valid loss  best BLEU  changed  size',
    'a    finished       40      2            4.500          –  5 s ago  12 B',
    'b    finished       40      2            4.500      12.35  5 s ago  12 B',
  ]);
});

test('the precision of training stands there where it is not float32 for all', () => {
  const runs = [
    { ...trainingRun('a'), age: 5, bytes: 12 },
    { ...trainingRun('b', { precision: 'bfloat16' }), age: 5, bytes: 12 },
  ];
  assert.deepEqual(formatRuns(runs), [
    'run  state     precision  updates  epoch  best valid loss  changed  size',
    'a    finished  float32         40      2            4.500  5 s ago  12 B',
    'b    finished  bfloat16        40      2            4.500  5 s ago  12 B',
  ]);
});

test('sizes', () => {
  assert.deepEqual([0, 999, 1500, 999_960, 3e9].map(formatBytes), [
    ...['0 B', '999 B', '1.5 kB', '1.0 MB', '3.0 GB'],
  ]);
});
