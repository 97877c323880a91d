import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatAge, formatDuration } from '../../src/common/duration.js';

test('durations', () => {
  const seconds = [0, 42.4, 59.6, 187, 239.7, 3599.5, 7500, 8 * 3600 + 3599, 86_399, 273_600];
  assert.deepEqual(seconds.map(formatDuration), [
    ...['0s', '42s', '1m00s', '3m07s', '4m00s', '1h00m', '2h05m', '9h00m', '1d00h', '3d04h'],
  ]);
});

test('any duration: no part is full, and what is told is at most half a unit off', () => {
  const sizes: Record<string, number> = { d: 86_400, h: 3600, m: 60, s: 1 };
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1e7, noNaN: true }), (seconds) => {
      const parts = [...formatDuration(seconds).matchAll(/(\d+)([dhms])/g)];
      const told = parts.reduce((sum, [, count, unit]) => sum + Number(count) * sizes[unit], 0);
      const last = sizes[parts.at(-1)![2]];
      assert.ok(Math.abs(told - seconds) <= last / 2, `${formatDuration(seconds)} of ${seconds}`);
      for (const [, count, unit] of parts) {
        if (unit !== 'd') assert.ok(Number(count) < { h: 24, m: 60, s: 60 }[unit]!, formatDuration(seconds));
      }
      assert.equal(formatDuration(seconds), parts.map(([part]) => part).join(''));
    }),
    { examples: [[59.5], [119.6], [3599.7], [3660], [86_399], [8 * 3600 + 3599]] },
  );
});

test('ages', () => {
  assert.deepEqual([-1, 61, 3600, 86400 * 3].map(formatAge), [
    ...['0 s ago', '1 min ago', '1 h ago', '3 days ago'],
  ]);
});
