import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Purpose, philox, RandomStream } from '../../src/common/rng.js';

test("Philox4x32-10 gives the known answers of its authors' Random123 (kat_vectors)", () => {
  const cases: [counter: number[], key: number[], expected: number[]][] = [
    [
      [0, 0, 0, 0],
      [0, 0],
      [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
    ],
    [
      [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff],
      [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
    ],
    [
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      [0xa4093822, 0x299f31d0],
      [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    ],
  ];
  for (const [[c0, c1, c2, c3], [k0, k1], expected] of cases) {
    const out = new Uint32Array(4);
    philox(c0, c1, c2, c3, k0, k1, out);
    assert.deepEqual([...out], expected);
  }
});

const stream = (site: number, step = 1) => new RandomStream({ seed: 7, step, purpose: Purpose.test, site });

test('a number depends on its key and index, not on what was drawn before', () => {
  const walked = stream(1);
  const drawn = Array.from({ length: 10 }, () => walked.nextUint32());
  const direct = stream(1);
  assert.deepEqual(
    [9, 3, 0, 5].map((i) => direct.at(i)),
    [9, 3, 0, 5].map((i) => drawn[i]),
  );
  assert.notDeepEqual(
    drawn,
    Array.from({ length: 10 }, (_, i) => stream(2).at(i)),
  );
  assert.notDeepEqual(
    drawn,
    Array.from({ length: 10 }, (_, i) => stream(1, 2).at(i)),
  );
});

test('draws below n are even, normals have mean 0 and variance 1, a shuffle is a permutation', () => {
  const source = stream(3);
  const counts = new Array<number>(7).fill(0);
  for (let i = 0; i < 70_000; i++) counts[source.nextBelow(7)]++;
  for (const count of counts) assert.ok(Math.abs(count - 10_000) < 500, `${counts}`);

  const normals = Array.from({ length: 50_000 }, () => source.nextNormal());
  const mean = normals.reduce((a, b) => a + b) / normals.length;
  const variance = normals.reduce((a, b) => a + (b - mean) ** 2, 0) / normals.length;
  assert.ok(Math.abs(mean) < 0.02 && Math.abs(variance - 1) < 0.03, `${mean} ${variance}`);

  const shuffled = stream(4).shuffle(Array.from({ length: 100 }, (_, i) => i));
  assert.deepEqual(
    [...shuffled].sort((a, b) => a - b),
    Array.from({ length: 100 }, (_, i) => i),
  );
  assert.notDeepEqual(
    shuffled,
    [...shuffled].sort((a, b) => a - b),
  );
});
