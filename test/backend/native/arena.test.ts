import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Arena } from '../../../src/backend/native/arena.js';

const arenaOf = (): { arena: Arena; sizes: number[]; discarded: number[][] } => {
  const sizes: number[] = [];
  const discarded: number[][] = [];
  const arena = new Arena({
    allocate: (bytes) => {
      sizes.push(bytes);
      return new ArrayBuffer(bytes);
    },
    discard: (_, start, end) => discarded.push([start, end]),
  });
  return { arena, sizes, discarded };
};

test('memory is of the length asked for, aligned, and never of two that are in use', () => {
  const requests = fc.array(fc.tuple(fc.nat(3000), fc.nat(20)), { maxLength: 120 });
  fc.assert(
    fc.property(requests, (list) => {
      const { arena, sizes } = arenaOf();
      const live: Float32Array[] = [];
      for (const [i, [length, victim]] of list.entries()) {
        const floats = arena.floats(length);
        assert.equal(floats.length, length);
        assert.equal(floats.byteOffset % 64, 0);
        live.push(floats.fill(i));
        if (victim < live.length - 1) arena.release(live.splice(victim, 1)[0]);
      }
      for (const floats of live) assert.ok(floats.every((value) => value === floats[0]));
      for (const floats of live) arena.release(floats);
      assert.equal(arena.used, 0);
      const all = arena.floats(sizes[0] === undefined ? 8 : sizes[0] / 4);
      assert.equal(all.byteOffset, 0, 'all stretches are joined again');
      assert.ok(sizes.length === 1);
    }),
    { numRuns: 50 },
  );
});

test('what is given back is the first to be taken again, where it is long enough', () => {
  const { arena } = arenaOf();
  const [a, b, c] = [arena.floats(100), arena.ints(100), arena.floats(100)];
  arena.release(a);
  assert.ok(arena.floats(200).byteOffset > c.byteOffset);
  assert.equal(arena.floats(50).byteOffset, a.byteOffset);
  arena.release(b);
  assert.equal(arena.floats(100).byteOffset, 256, 'the rest of a, joined with b');
});

test('what is in use is counted, the most since a moment, and what is held', () => {
  const { arena } = arenaOf();
  const [first, ...others] = [arena.floats(64), arena.floats(64), arena.floats(64)];
  assert.deepEqual([arena.used, arena.peak, arena.resident], [768, 768, 768]);
  for (const other of others) arena.release(other);
  arena.resetPeak();
  assert.deepEqual([arena.used, arena.peak, arena.resident], [256, 256, 768]);
  arena.release(arena.floats(128));
  assert.deepEqual([arena.used, arena.peak, arena.resident], [256, 768, 768]);
  arena.release(first);
  arena.release(first);
  assert.equal(arena.used, 0, 'what is given back twice counts once');
});

test('what lies behind the memory in use can be given back', () => {
  const { arena, discarded } = arenaOf();
  const [low, middle, high] = [arena.floats(64), arena.floats(64), arena.floats(64)];
  arena.release(low);
  arena.release(high);
  arena.trim();
  assert.deepEqual(discarded, [[512, 768]]);
  assert.deepEqual([arena.used, arena.peak, arena.resident], [256, 512, 512]);
  arena.release(middle);
  arena.trim();
  arena.trim();
  assert.deepEqual(discarded.slice(1), [[0, 512]]);
  assert.equal(arena.resident, 0);
});

const MEBIBYTE = 2 ** 20;

test('regions grow with what is in use, up to 1 GiB; a tensor larger than that gets one of its own', () => {
  const { arena, sizes } = arenaOf();
  const small = arena.floats(16);
  assert.deepEqual(sizes, [32 * MEBIBYTE], 'little is asked for where little is needed');
  const large = arena.floats(2 ** 28 + 16);
  assert.notEqual(small.buffer, large.buffer);
  for (let i = 0; i < 3; i++) arena.floats(2 ** 28);
  assert.deepEqual(sizes.slice(1), [2 ** 30 + 64, 2 ** 30, 2 ** 30, 2 ** 30]);
  const gradual = arenaOf();
  for (let i = 0; i < 20; i++) gradual.arena.floats(4 * MEBIBYTE);
  assert.deepEqual(
    gradual.sizes.map((size) => size / MEBIBYTE),
    [32, 32, 64, 128, 256],
  );
});

test('where the system has less to give, a region is smaller; where it has not enough, its error comes back', () => {
  const sizes: number[] = [];
  const refusal = new Error('out of memory');
  const arena = new Arena({
    allocate: (bytes) => {
      if (bytes > 5 * MEBIBYTE) throw refusal;
      sizes.push(bytes);
      return new ArrayBuffer(bytes);
    },
    discard: () => {},
  });
  assert.equal(arena.floats(16).length, 16);
  assert.deepEqual(sizes, [4 * MEBIBYTE]);
  assert.equal(arena.floats(1_250_000).length, 1_250_000);
  assert.equal(sizes.length, 2);
  const { used } = arena;
  assert.throws(() => arena.floats(2 * MEBIBYTE), refusal);
  assert.equal(arena.used, used, 'what was not given does not count');
});

test('memory of others is left alone', () => {
  const { arena } = arenaOf();
  const foreign = new Float32Array(8);
  assert.equal(arena.owns(foreign), false);
  arena.release(foreign);
  assert.equal(arena.used, 0);
  assert.notEqual(arena.floats(8).buffer, foreign.buffer);
});
