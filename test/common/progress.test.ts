import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatSeconds, startProgress } from '../../src/common/progress.js';

test('without a terminal, progress is plain lines with no control characters, the last state included', (t) => {
  const lines: string[] = [];
  t.mock.method(process.stderr, 'write', (text: string) => lines.push(text) > 0);
  const progress = startProgress({ label: 'train', total: 4, unit: 'updates', plainEvery: 1e9 });
  progress.update(1, 'loss 3.00');
  progress.update(2, 'loss 2.00');
  progress.update(4, 'loss 1.00');
  progress.stop();
  t.mock.restoreAll();
  assert.equal(lines.length, 2);
  assert.match(lines[0], /^train 1\/4 updates · loss 3\.00 · ETA \d+s\n$/);
  assert.match(lines[1], /^train 4\/4 updates · loss 1\.00 · \d+s\n$/);
});

test('durations', () => {
  assert.deepEqual([0, 42.4, 187, 7500].map(formatSeconds), ['0s', '42s', '3m07s', '2h05m']);
});
