import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Purpose, philox } from '../../src/common/rng.js';
import { dropout, dropoutMask } from '../../src/ops/dropout.js';
import type { MaskKey } from '../../src/ops/kernels.js';
import { tf } from '../../src/ops/tf.js';
import { allClose } from './all-close.js';
import { availableBackends, onAllBackends, onEachBackend } from './backends.js';
import { checkOp } from './gradient-check.js';
import { matrix } from './samples.js';

const KEY: MaskKey = { seed: 7, step: 3, site: 5 };

/** The number of an index, from the documented counter and key. */
function numberAt(index: number, { seed, step, site }: MaskKey): number {
  const words = new Uint32Array(4);
  philox(Math.floor(index / 4), site, Purpose.dropout, step, seed, Math.floor(seed / 2 ** 32), words);
  return words[index % 4];
}

const masked = (index: number, rate: number, key: MaskKey): number =>
  numberAt(index, key) >= Math.floor(rate * 2 ** 32) ? Math.fround(1 / (1 - rate)) : 0;

const keys = fc.record({ seed: fc.maxSafeNat(), step: fc.nat(), site: fc.nat({ max: 1000 }) });

test('dropoutMask: element i is kept if the Philox number of index i is at least rate · 2³²', () => {
  fc.assert(
    fc.property(keys, fc.nat({ max: 50 }), fc.constantFrom(0.1, 0.3, 0.5, 0.999), (key, size, rate) => {
      const expected = Array.from({ length: size }, (_, i) => masked(i, rate, key));
      assert.deepEqual([...dropoutMask(size, rate, key)], expected);
    }),
    { seed: 5, numRuns: 50 },
  );
});

test('dropoutMask: the numbers of other indices where they are asked for, up to 2³⁴', () => {
  const indices = [9, 4, 4, 0, 2 ** 32 + 3, 2 ** 34 - 1, 7];
  const mask = dropoutMask(indices.length, 0.5, KEY, (i) => indices[i]);
  assert.deepEqual(
    [...mask],
    indices.map((index) => masked(index, 0.5, KEY)),
  );
});

test('dropoutMask: one key as it was at first; a change would change every run', () => {
  const kept = [...dropoutMask(24, 0.5, { seed: 1, step: 2, site: 3 })].map((x) => (x === 0 ? '0' : '2'));
  assert.equal(kept.join(''), '220020220022022220202000');
});

test('dropoutMask: seed (both halves), step and site each give another mask', () => {
  const changes: Partial<MaskKey>[] = [{}, { seed: 8 }, { seed: 7 + 2 ** 32 }, { step: 4 }, { site: 6 }];
  const masks = changes.map((change) => dropoutMask(64, 0.5, { ...KEY, ...change }).join());
  assert.equal(new Set(masks).size, changes.length);
});

test('dropoutMask: the share that is dropped is the rate, and the mean stays 1', () => {
  for (const rate of [0.1, 0.3, 0.9]) {
    const size = 20000;
    const mask = dropoutMask(size, rate, KEY);
    const dropped = mask.filter((x) => x === 0).length / size;
    assert.ok(Math.abs(dropped - rate) < 4 * Math.sqrt((rate * (1 - rate)) / size), `${rate}: ${dropped}`);
    const deviation = Math.sqrt(rate / (1 - rate) / size);
    const mean = mask.reduce((sum, x) => sum + x, 0) / size;
    assert.ok(Math.abs(mean - 1) < 4 * deviation, `${rate}: mean ${mean}`);
  }
});

test('the same mask on every backend, bit for bit', async () => {
  const results = await onAllBackends(() =>
    tf.tidy(() => [...dropout(tf.ones([7, 9]), 0.3, KEY).dataSync()]),
  );
  assert.equal(results.size, availableBackends.length);
  for (const values of results.values()) assert.deepEqual(values, [...dropoutMask(63, 0.3, KEY)]);
});

onEachBackend(() => {
  test('value and gradient: x times the mask', () => {
    for (const shape of [
      [1, 1],
      [5, 7],
      [3, 32],
    ]) {
      const mask = dropoutMask(shape[0] * shape[1], 0.4, KEY);
      checkOp(
        (x) => dropout(x, 0.4, KEY),
        (x) => tf.tidy(() => tf.mul(x, tf.tensor(mask, shape))),
        [matrix(shape[0], shape[1])],
      );
    }
  });

  test('off without a key or at rate 0: the same tensor', () => {
    tf.tidy(() => {
      const x = matrix(3, 4);
      assert.equal(dropout(x, 0.5, null), x);
      assert.equal(dropout(x, 0, KEY), x);
    });
  });

  test('NaN and ∞ are not hidden: dropped ones become NaN', () => {
    tf.tidy(() => {
      const mask = dropoutMask(8, 0.5, KEY);
      const strange = [Number.NaN, Infinity, -Infinity, 1e30, Number.NaN, Infinity, -Infinity, -1e9];
      allClose(
        dropout(tf.tensor1d(strange), 0.5, KEY),
        strange.map((x, i) => x * mask[i]),
      );
    });
  });

  test('nothing in, nothing out', () => {
    tf.tidy(() => {
      assert.deepEqual(dropout(tf.zeros([0, 4]), 0.5, KEY).shape, [0, 4]);
    });
  });
});
