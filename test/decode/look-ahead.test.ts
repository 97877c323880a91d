import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { LookAhead } from '../../src/decode/look-ahead.js';

/** Numbers from 0, without end; tells how many were asked for. */
class Numbers implements AsyncIterable<number> {
  asked = 0;
  closed = false;

  async *[Symbol.asyncIterator]() {
    try {
      for (;;) yield this.asked++;
    } finally {
      this.closed = true;
    }
  }
}

test('as many as there is room for are read while others are at work, and no more', async () => {
  const numbers = new Numbers();
  const ahead = new LookAhead(numbers, 5);
  assert.deepEqual(await ahead.take(), [0, 1, 2, 3, 4]);
  for (let turn = 0; turn < 5; turn++) await setImmediate();
  assert.equal(numbers.asked, 10);
  assert.deepEqual(await ahead.take(), [5, 6, 7, 8, 9]);
  ahead.close();
  await setImmediate();
  assert.ok(numbers.closed);
});

test('what has come is taken without the rest; where there is nothing it is said once that it is waited for', async () => {
  const source = new PassThrough({ objectMode: true });
  const ahead = new LookAhead<number>(source, 100);
  let waits = 0;
  const wait = () => waits++;
  const first = ahead.take(wait);
  await setImmediate();
  await setImmediate();
  source.write(1);
  source.write(2);
  assert.deepEqual([await first, waits], [[1, 2], 1]);
  source.write(3);
  await setImmediate();
  assert.deepEqual([await ahead.take(wait), waits], [[3], 1]);
  source.end(4);
  assert.deepEqual([await ahead.take(wait), await ahead.take(wait)], [[4], []]);
});

test('a mistake in what is read comes after all that stands before it', async () => {
  async function* broken() {
    yield 1;
    yield 2;
    throw new Error('line 3');
  }
  const ahead = new LookAhead(broken(), 10);
  assert.deepEqual(await ahead.take(), [1, 2]);
  await assert.rejects(ahead.take(), /line 3/);
});

test('an end is not kept waiting by a source that gives nothing', async () => {
  const source = new PassThrough({ objectMode: true });
  const ahead = new LookAhead(source, 10);
  const taking = ahead.take();
  await setImmediate();
  await setImmediate();
  ahead.close();
  source.end();
  assert.deepEqual(await taking, []);
});
