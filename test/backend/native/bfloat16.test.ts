import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Addon } from '../../../src/backend/native/binding.js';
import { linear, linearReference } from '../../../src/ops/matmul.js';
import { tf } from '../../../src/ops/tf.js';
import { onEachBackend } from '../../ops/backends.js';
import { matrix } from '../../ops/samples.js';
import { chain, roundToBfloat16 } from './bfloat16-oracle.js';
import { bitsOnEachSet } from './bits-on-each-set.js';

/** Bits of floats; one for all NaN. */
const bitsOf = (values: ArrayLike<number>): number[] =>
  [...new Uint32Array(Float32Array.from(values).buffer)].map((bits) =>
    (bits & 0x7fffffff) > 0x7f800000 ? 0x7fc00000 : bits,
  );

const float = (bits: number): number => new Float32Array(Uint32Array.of(bits).buffer)[0];

/** What shows rounding, overflow, flushing, and the order of the two products of a step. */
const STRANGE = [
  ...[0, -0, 1, -1, 1 + 2 ** -8, 1 + 3 * 2 ** -8, 1 + 2 ** -8 + 2 ** -23, 3.3895e38, -3.4028e38],
  ...[2 ** -126, 2 ** -127, -(2 ** -149), 1.5 * 2 ** -126, 2 ** -64, -(2 ** -63), 2 ** 64, -(2 ** 63)],
  ...[float(0x7f7f8000), float(0x007fffff), Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN],
];

onEachBackend((backend) => {
  if (backend !== 'native') return;

  test('bfloat16: an element is the chain of fused multiply-adds over exact numbers', () => {
    let state = 7;
    const draw = (): number => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      const value = STRANGE[(state >>> 8) % STRANGE.length];
      return (state & 1) === 0 ? value : value * (1 + ((state >>> 16) & 0xff) / 300);
    };
    const { addon } = tf.backend() as unknown as { addon: Addon };
    for (const depth of [1, 2, 3, 5, 8, 33]) {
      const [rows, columns] = [17, 35];
      const x = Float32Array.from({ length: rows * depth }, draw);
      const weight = Float32Array.from({ length: columns * depth }, draw);
      const y = new Float32Array(rows * columns);
      addon.linear(x, weight, null, y, rows, depth, columns, 1);
      const expected = Array.from(y, (_, place) => {
        const [row, column] = [Math.floor(place / columns), place % columns];
        const slice = (of: Float32Array, line: number) => of.subarray(line * depth, (line + 1) * depth);
        return chain(slice(x, row), slice(weight, column));
      });
      assert.deepEqual(bitsOf(y), bitsOf(expected), `depth ${depth}`);
    }
  });

  test('bfloat16: a product of rounded numbers, and its gradients, differ from float32 in the order of sums alone', () => {
    for (const [rows, depth, columns] of [
      [1, 1, 1],
      [13, 31, 33],
      [15, 513, 31],
      [29, 1025, 65],
      [513, 33, 14],
    ]) {
      const [x, weight, dy] = [
        matrix(rows, depth, 1),
        matrix(columns, depth, 2),
        matrix(rows, columns, 3),
      ].map((each) => tf.tensor2d(each.dataSync().map(roundToBfloat16), each.shape));
      const outcomes = (op: (a: tf.Tensor2D, b: tf.Tensor2D) => tf.Tensor2D): tf.Tensor[] => [
        op(x as tf.Tensor2D, weight as tf.Tensor2D),
        ...tf.grads((a, b) => op(a as tf.Tensor2D, b as tf.Tensor2D))([x, weight], tf.clone(dy)),
      ];
      const found = outcomes((a, b) => linear(a, b, null, 'bfloat16'));
      const exact = outcomes((a, b) => linearReference(a, b, null));
      for (const [i, terms] of [depth, columns, rows].entries()) {
        const [ours, theirs] = [found[i].dataSync(), exact[i].dataSync()];
        const most = Math.max(...ours.map((value, j) => Math.abs(value - theirs[j])));
        // Each of the sums of so many products, all below 1, is rounded at most that many times.
        assert.ok(most <= 2 * terms * terms * 2 ** -24, `${[rows, depth, columns]}: ${most}`);
      }
    }
  });
});

test('bfloat16: the same bits on every instruction set, with 1, 2 and 4 threads', (t) =>
  bitsOnEachSet('bfloat16', t));
