import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareOmega, formatProfile } from '../../src/report/profile-table.js';

test('a line for each sublayer, numbers in columns, the longest bar for the largest ω', () => {
  const lines = formatProfile([
    {
      stack: 'encoder',
      layer: 0,
      sublayer: 'self',
      shortcutVariance: 1.5,
      branchVariance: 0.0123456,
      omega: 1,
    },
    { stack: 'encoder', layer: 0, sublayer: 'fc', shortcutVariance: 4, branchVariance: 1, omega: 2 },
    {
      stack: 'decoder',
      layer: 11,
      sublayer: 'encoder',
      shortcutVariance: 16,
      branchVariance: 1,
      omega: 4.03125,
    },
  ]);
  assert.deepEqual(lines, [
    'layer       sublayer             Var(x·ω)    Var(f(x))          ω',
    'encoder 0   self-attention         1.5000     0.012346     1.0000  ██████',
    'encoder 0   feed-forward           4.0000       1.0000     2.0000  ███████████▉',
    'decoder 11  encoder-attention      16.000       1.0000     4.0313  ████████████████████████',
  ]);
});

test('profiled ω beside the analytic one', () => {
  assert.equal(
    compareOmega('encoder', [1, 2, 1.5], 2.0174, 'log-n'),
    'ω of the encoder: 1.000 … 2.000, mean 1.500; analytic (log-n) 2.017',
  );
});
