import assert from 'node:assert/strict';
import { test } from 'node:test';
import { alone } from '../../src/common/communicator.js';

test('one process is all ranks: its sums are what it has, its values come back as they are', () => {
  const array = Float32Array.of(1, 2);
  const value = { a: 1 };
  alone.beginSum([array]).wait();
  assert.deepEqual([...array], [1, 2]);
  assert.equal(alone.exchange(value)[0], value);
  assert.equal(alone.broadcast(value), value);
  alone.barrier();
  assert.deepEqual([alone.rank, alone.size, alone.hosts.length], [0, 1, 1]);
  assert.throws(() => alone.abort('the end', 1), /the end/);
});
