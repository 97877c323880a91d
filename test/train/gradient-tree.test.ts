import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { tf } from '../../src/ops/tf.js';
import { GradientTree, listsHeld, type Share, shareOf } from '../../src/train/gradient-tree.js';
import { tensorsLeft, useBackend } from './tiny.js';

before(() => useBackend('cpu'));

/** Values whose sum depends on the order: of many sizes and both signs, and zeros of both. */
const gradientOf = (place: number): Float32Array =>
  Float32Array.from({ length: 32 }, (_, i) => (i === 0 ? -0 : Math.sin(1 + place * 37 + i) * 10 ** (i % 5)));

/** The sum of a share, of which only the places before `batches` have one; the last one added whole, or one by one. */
function sumOf(share: Share, updateFreq: number, batches = updateFreq, oneByOne = false): Float32Array {
  const tree = new GradientTree(share, updateFreq);
  for (let place = share.first; place < Math.min(share.end, batches); place++) {
    const isLast = place === Math.min(share.end, batches) - 1;
    if (isLast && oneByOne) return valuesOf(tree.addLast(0, tf.tensor(gradientOf(place))));
    tree.add([tf.tensor(gradientOf(place))]);
  }
  const [sum = tf.fill([32], -0)] = tree.sum() ?? [];
  return valuesOf(sum);
}

function valuesOf(sum: tf.Tensor): Float32Array {
  const values = sum.dataSync<'float32'>().slice();
  sum.dispose();
  return values;
}

const add = (a: Float32Array, b: Float32Array): Float32Array => a.map((x, i) => x + b[i]);

/** As the processes add their sums: halves of halves. */
function overRanks(sums: readonly Float32Array[]): Float32Array {
  if (sums.length === 1) return sums[0];
  const middle = sums.length / 2;
  return add(overRanks(sums.slice(0, middle)), overRanks(sums.slice(middle)));
}

const bits = (values: Float32Array): Uint32Array =>
  new Uint32Array(values.buffer, values.byteOffset, values.length);

describe('the sum of an update', () => {
  for (const updateFreq of [1, 2, 4, 8, 12, 16, 24, 80]) {
    for (const size of [2, 4, 8].filter((ranks) => updateFreq % ranks === 0)) {
      test(`of ${updateFreq} batches has the same bits over ${size} processes, whole or broken off`, () => {
        for (let batches = 1; batches <= updateFreq; batches++) {
          const alone = sumOf(shareOf(0, 1, updateFreq), updateFreq, batches);
          const shares = Array.from({ length: size }, (_, rank) => shareOf(rank, size, updateFreq));
          for (const oneByOne of [false, true]) {
            const together = overRanks(shares.map((share) => sumOf(share, updateFreq, batches, oneByOne)));
            assert.deepEqual(bits(together), bits(alone), `${batches} batches`);
          }
        }
      });
    }
  }

  test('of up to three batches is that of one after another', () => {
    for (const updateFreq of [1, 2, 3]) {
      const plain = Array.from({ length: updateFreq }, (_, place) => gradientOf(place)).reduce(add);
      assert.deepEqual(bits(sumOf(shareOf(0, 1, updateFreq), updateFreq)), bits(plain));
    }
  });

  test('depends on the order, so that these values would tell', () => {
    const plain = Array.from({ length: 16 }, (_, place) => gradientOf(place)).reduce(add);
    assert.notDeepEqual(sumOf(shareOf(0, 1, 16), 16), plain);
  });

  test('is made of as many lists as are counted', async () => {
    for (const updateFreq of [1, 2, 3, 4, 6, 8, 12, 16, 80]) {
      const share = shareOf(0, 1, updateFreq);
      const tree = new GradientTree(share, updateFreq);
      const before = tf.memory().numTensors;
      let most = 0;
      const left = await tensorsLeft(async () => {
        for (let place = 0; place < updateFreq; place++) {
          most = Math.max(most, tf.memory().numTensors - before);
          tree.add([tf.tensor(gradientOf(place))]);
        }
        tf.dispose(tree.sum()!);
      });
      assert.equal(left, 0);
      assert.equal(listsHeld(updateFreq, share, updateFreq), most, `${updateFreq} batches`);
    }
    assert.equal(listsHeld(80, shareOf(0, 1, 80), 80), 4);
    assert.equal(listsHeld(20, shareOf(1, 4, 80), 80), 2);
  });
});

test('shares follow one another and leave nothing out, also where they are not equal', () => {
  for (const [size, updateFreq] of [
    [1, 5],
    [3, 8],
    [4, 6],
    [4, 3],
  ]) {
    const shares = Array.from({ length: size }, (_, rank) => shareOf(rank, size, updateFreq));
    assert.equal(shares[0].first, 0);
    assert.equal(shares.at(-1)!.end, updateFreq);
    shares.slice(1).forEach(({ first }, i) => {
      assert.equal(first, shares[i].end);
    });
  }
});
