import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arena } from '../../../src/backend/native/arena.js';

const arenaOf = (): { arena: Arena; sizes: number[] } => {
  const sizes: number[] = [];
  const arena = new Arena((bytes) => {
    sizes.push(bytes);
    return new ArrayBuffer(bytes);
  });
  return { arena, sizes };
};

test('memory is of the length asked for, in a block of a size that others share', () => {
  const { arena, sizes } = arenaOf();
  for (let length = 0; length < 5000; length += 7) {
    const floats = arena.floats(length);
    assert.equal(floats.length, length);
    const block = floats.buffer.byteLength;
    assert.ok(block >= 4 * length && block <= Math.max(256, 4 * length * 1.25 + 64), `${length}: ${block}`);
    arena.release(floats);
  }
  assert.ok(new Set(sizes).size < 30);
  assert.equal(sizes.length, new Set(sizes).size, 'a block that was given back is handed out again');
});

test('no two that are in use share memory', () => {
  const { arena } = arenaOf();
  const [a, b] = [arena.floats(100), arena.ints(100)];
  assert.notEqual(a.buffer, b.buffer);
  arena.release(a);
  const [c, d] = [arena.floats(100), arena.floats(100)];
  assert.equal(c.buffer, a.buffer);
  assert.notEqual(d.buffer, c.buffer);
});

test('what is in use is counted, and the most that there ever was', () => {
  const { arena } = arenaOf();
  const blocks = [arena.floats(64), arena.floats(64)];
  assert.deepEqual([arena.used, arena.peak], [512, 512]);
  for (const block of blocks) arena.release(block);
  arena.floats(64);
  assert.deepEqual([arena.used, arena.peak], [256, 512]);
});

test('memory of others is left alone', () => {
  const { arena } = arenaOf();
  const foreign = new Float32Array(8);
  assert.equal(arena.owns(foreign), false);
  arena.release(foreign);
  assert.notEqual(arena.floats(8).buffer, foreign.buffer);
});
