import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import {
  makeRing,
  RING_BYTES,
  RingWriter,
  type TakeBytes,
  takeFrom,
  takeOf,
} from '../../src/train/checkpoint-ring.js';

const listOf = (...sizes: number[]): Float32Array[] => {
  let next = 0;
  return sizes.map((size) => {
    const list = new Float32Array(size);
    for (let i = 0; i < size; i++) list[i] = next++;
    return list;
  });
};
const bytesOf = (values: readonly Float32Array[]): Buffer =>
  Buffer.concat(
    values.map(({ buffer, byteOffset, byteLength }) => Buffer.from(buffer, byteOffset, byteLength)),
  );
const taken = (take: TakeBytes, count: number): Buffer =>
  Buffer.concat([...take(count)].map((piece) => Buffer.from(piece)));

/** Both ends in one thread: so much is taken whenever the writer waits. */
async function pass(
  values: readonly Float32Array[],
  ringBytes: number,
  parts: readonly number[],
): Promise<Buffer> {
  const ring = makeRing(ringBytes);
  const writer = new RingWriter(ring);
  const take = takeFrom(ring, writer.heard);
  const all = writer.writeAll(values);
  const found: Buffer[] = [];
  for (const count of parts) {
    await setImmediate();
    found.push(taken(take, count));
  }
  await all;
  return Buffer.concat(found);
}

describe('a ring between two threads', () => {
  test('bytes come out as they went in, whatever the pieces', async () => {
    const values = listOf(3, 0, 5, 1, 100, 7);
    const expected = bytesOf(values);
    assert.deepEqual(await pass(values, expected.length, [12, 20, 0, expected.length - 32]), expected);
    assert.deepEqual(taken(takeOf(values), expected.length), expected);
  });

  test('more than it holds goes through it in turns, and it never holds more', async () => {
    const values = listOf(2 ** 10, 2 ** 11 + 5, 2 ** 14, 3);
    const expected = bytesOf(values);
    const ring = makeRing(expected.length, 1000);
    assert.equal(ring.slots.byteLength, 8000);
    assert.equal(makeRing(2 * RING_BYTES).slots.byteLength, RING_BYTES);
    const writer = new RingWriter(ring);
    const take = takeFrom(ring, writer.heard);
    let done = false;
    const all = writer.writeAll(values).then(() => {
      done = true;
    });
    await setImmediate();
    assert.equal(done, false); // it waits for room
    const step = 4012;
    for (let start = 0; start < expected.length; start += step) {
      const end = Math.min(expected.length, start + step);
      assert.ok(taken(take, end - start).equals(expected.subarray(start, end)), `${start}`);
      await setImmediate();
    }
    await all;
    assert.equal(done, true);
  });

  test('what fits into it is copied at once: it may change afterwards', async () => {
    const values = listOf(1000, 1000);
    const expected = bytesOf(values);
    const ring = makeRing(expected.length);
    await new RingWriter(ring).writeAll(values);
    for (const list of values) list.fill(-1);
    assert.deepEqual(
      taken(
        takeFrom(ring, () => {}),
        expected.length,
      ),
      expected,
    );
  });

  test('where nobody takes any more, the writer ends; where values cannot be read, both ends do', async () => {
    const writer = new RingWriter(makeRing(20_000, 1000));
    const all = writer.writeAll([new Float32Array(5000)]);
    await setImmediate();
    writer.close();
    await all;
    const ring = makeRing(400);
    const failing = async function* (): AsyncGenerator<Float32Array> {
      yield new Float32Array(50);
      throw new Error('the card is gone');
    };
    await assert.rejects(new RingWriter(ring).writeAll(failing()), /the card is gone/);
    assert.throws(
      () =>
        taken(
          takeFrom(ring, () => {}),
          400,
        ),
      /could not be read/,
    );
  });
});
