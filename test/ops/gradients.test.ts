import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tf } from '../../src/ops/tf.js';
import { allClose } from './all-close.js';
import { onEachBackend } from './backends.js';
import { checkDifferences, type Op } from './gradient-check.js';
import { leavesNothing } from './leak-check.js';
import { normal } from './samples.js';

type Transform = (x: tf.Tensor) => tf.Tensor;
type Case = [op: Op, ...shapes: number[][]];

/** 0.5 to 2 and up: away from the poles of 1/x, log and the roots. */
const positive: Transform = (x) => tf.add(tf.abs(x), 0.5);
/** Away from the kink of relu. */
const awayFromZero: Transform = (x) => tf.add(x, tf.mul(0.1, tf.sign(x)));
/** No two elements nearer than a step of the differences. */
const apart: Transform = (x) => tf.add(x, tf.reshape(tf.mul(tf.range(0, x.size), 0.7), x.shape));
const asIs: Transform = (x) => x;

const BROADCASTS = [
  [
    [2, 3],
    [2, 3],
  ],
  [[2, 3], [3]],
  [[3], [2, 3]],
  [
    [2, 3],
    [1, 3],
  ],
  [
    [2, 1],
    [2, 3],
  ],
  [
    [2, 1],
    [1, 3],
  ],
  [[], [2, 3]],
  [[2, 3], []],
  [[1], [1]],
  [
    [4, 1, 3],
    [2, 1],
  ],
  [[1, 1], [3]],
];

const elementwise = (op: Op): Case[] => [[[5], [3, 4], []].map((shape) => [op, shape] as Case)].flat();
const broadcast = (op: Op): Case[] => BROADCASTS.map((shapes) => [op, ...shapes]);

/** For each kernel with a gradient: where its inputs lie, and calls that run it. */
const KERNELS: Record<string, [Transform, Case[]]> = {
  [tf.Add]: [asIs, broadcast((a, b) => tf.add(a, b))],
  [tf.Sub]: [asIs, broadcast((a, b) => tf.sub(a, b))],
  [tf.Multiply]: [asIs, broadcast((a, b) => tf.mul(a, b))],
  [tf.RealDiv]: [positive, broadcast((a, b) => tf.div(a, b))],
  [tf.Neg]: [asIs, elementwise((x) => tf.neg(x))],
  [tf.Identity]: [asIs, elementwise((x) => tf.clone(x))],
  [tf.Cast]: [asIs, elementwise((x) => tf.cast(x, 'float32'))],
  [tf.Exp]: [asIs, elementwise((x) => tf.exp(x))],
  [tf.Log]: [positive, elementwise((x) => tf.log(x))],
  [tf.Square]: [asIs, elementwise((x) => tf.square(x))],
  [tf.Sqrt]: [positive, elementwise((x) => tf.sqrt(x))],
  [tf.Rsqrt]: [positive, elementwise((x) => tf.rsqrt(x))],
  [tf.Relu]: [awayFromZero, elementwise((x) => tf.relu(x))],
  [tf.Erf]: [asIs, elementwise((x) => tf.erf(x))],
  [tf.Sum]: [
    asIs,
    [
      [(x) => tf.sum(x), [2, 3, 4]],
      [(x) => tf.sum(x, 0), [5, 3]],
      [(x) => tf.sum(x, 1), [5, 3]],
      [(x) => tf.sum(x, -1, true), [5, 3]],
      [(x) => tf.sum(x, [0, 2]), [2, 3, 4]],
      [(x) => tf.sum(x, [2, 1], true), [2, 3, 4]],
      [(x) => tf.sum(x, 1), [4, 1]],
    ],
  ],
  [tf.Max]: [
    apart,
    [
      [(x) => tf.max(x), [2, 3]],
      [(x) => tf.max(x, 0), [5, 3]],
      [(x) => tf.max(x, 1), [5, 3]],
      [(x) => tf.max(x, -1, true), [2, 3, 4]],
      [(x) => tf.max(x, [0, 2]), [2, 3, 4]],
    ],
  ],
  [tf.Softmax]: [
    asIs,
    [
      [(x) => tf.softmax(x), [7]],
      [(x) => tf.softmax(x), [3, 5]],
      [(x) => tf.softmax(x), [2, 3, 4]],
      [(x) => tf.softmax(x), [3, 1]],
    ],
  ],
  [tf.Reshape]: [
    asIs,
    [
      [(x) => tf.reshape(x, [3, 4]), [2, 6]],
      [(x) => tf.reshape(x, [-1]), [2, 3, 2]],
    ],
  ],
  [tf.ExpandDims]: [
    asIs,
    [
      [(x) => tf.expandDims(x, 0), [3]],
      [(x) => tf.expandDims(x, -1), [3, 2]],
    ],
  ],
  [tf.Transpose]: [
    asIs,
    [
      [(x) => tf.transpose(x), [3, 5]],
      [(x) => tf.transpose(x, [1, 2, 0]), [2, 3, 4]],
      [(x) => tf.transpose(x, [0, 2, 3, 1]), [2, 3, 4, 2]],
    ],
  ],
  [tf.Slice]: [
    asIs,
    [
      [(x) => tf.slice(x, [1], [3]), [5]],
      [(x) => tf.slice(x, [0, 2], [2, 1]), [3, 4]],
      [(x) => tf.slice(x, [1, 0, 1]), [2, 3, 3]],
    ],
  ],
  [tf.Concat]: [
    asIs,
    [
      [(a, b) => tf.concat([a, b], 0), [2, 3], [4, 3]],
      [(a, b, c) => tf.concat([a, b, c], -1), [2, 3], [2, 1], [2, 2]],
      [(a, b) => tf.concat([a, b]), [1], [4]],
    ],
  ],
  [tf.BatchMatMul]: [
    asIs,
    [
      [(a, b) => tf.matMul(a, b), [3, 4], [4, 5]],
      [(a, b) => tf.matMul(a, b), [1, 1], [1, 3]],
      [(a, b) => tf.matMul(a, b), [2, 3, 4], [2, 4, 2]],
      [(a, b) => tf.matMul(a, b), [2, 2, 3, 1], [2, 2, 1, 4]],
    ],
  ],
  [tf.SplitV]: [
    asIs,
    [
      [(x) => tf.tidy(() => tf.mul(...(tf.split(x, 2) as [tf.Tensor, tf.Tensor]))), [4, 3]],
      [(x) => tf.tidy(() => tf.split(x, [1, 3, 2], 1)[1]), [2, 6]],
      [(x) => tf.tidy(() => tf.concat([...tf.split(x, [2, 3])].reverse())), [5]],
    ],
  ],
  [tf.Pack]: [
    asIs,
    [
      [(a, b) => tf.stack([a, b]), [3], [3]],
      [(a, b, c) => tf.stack([a, b, c], 1), [2, 3], [2, 3], [2, 3]],
      [(a, b) => tf.stack([a, b]), [], []],
    ],
  ],
};

test('every kernel with a registered gradient is checked here, and only those', () => {
  const exports: unknown[] = Object.values(tf);
  const names = exports.filter((value) => typeof value === 'string');
  const registered = names.filter((name) => tf.getGradient(name) !== undefined);
  assert.deepEqual(registered.toSorted(), Object.keys(KERNELS).toSorted());
});

onEachBackend(() => {
  for (const [kernel, [transform, cases]] of Object.entries(KERNELS)) {
    test(`${kernel} against central differences`, async () => {
      for (const [op, ...shapes] of cases) {
        const inputs = shapes.map((shape, i) => tf.tidy(() => transform(normal(shape, 30 + i))));
        checkDifferences(op, inputs);
        leavesNothing(op, inputs);
        const { kernelNames, result } = await tf.profile(() => op(...inputs));
        assert.ok(kernelNames.includes(kernel), `ran ${kernelNames.join(', ')}`);
        tf.dispose([inputs, result as tf.Tensor]);
      }
    });
  }

  test('NaN and ∞ of the gradient pass by the rules of floats', () => {
    tf.tidy(() => {
      const dy = tf.tensor1d([Number.NaN, Infinity, -Infinity, 2]);
      const two = tf.fill([4], 2);
      const through = (op: Op) => tf.grads(op)([two], dy.clone())[0];
      allClose(
        through((x) => tf.mul(x, 3)),
        [Number.NaN, Infinity, -Infinity, 6],
      );
      allClose(
        through((x) => tf.relu(x)),
        [Number.NaN, Infinity, -Infinity, 2],
      );
      allClose(
        through((x) => tf.relu(tf.neg(x))),
        [Number.NaN, Number.NaN, Number.NaN, 0],
      );
      allClose(
        through((x) => tf.square(x)),
        [Number.NaN, Infinity, -Infinity, 8],
      );
      allClose(
        through((x) => tf.div(1, x)),
        [Number.NaN, -Infinity, Infinity, -0.5],
      );
    });
  });

  test('relu has no slope at 0', () => {
    tf.tidy(() => {
      allClose(tf.grad((x: tf.Tensor) => tf.relu(x))(tf.tensor1d([-1, 0, 2])), [0, 0, 1]);
    });
  });

  test('operands of one sum have gradients of their own: disposing of one leaves the other', () => {
    for (const op of [(a, b) => tf.add(a, b), (a, b) => tf.sub(a, b)] as Op[]) {
      const inputs = [normal([2, 3], 1), normal([2, 3], 2)];
      const [first, second] = tf.grads(op)(inputs);
      assert.notEqual(first, second);
      first.dispose();
      assert.ok(second.dataSync().every(Number.isFinite));
      tf.dispose([second, inputs]);
    }
  });

  test('a shortcut around a branch of tfjs kernels: x + ω·x', () => {
    tf.tidy(() => {
      const op: Op = (x, omega) => tf.add(tf.mul(x, omega), x);
      checkDifferences(op, [normal([3, 4], 1), normal([4], 2)]);
    });
  });

  test('one operand on both sides', () => {
    for (const op of [
      (x) => tf.add(x, x),
      (x) => tf.mul(x, x),
      (x) => tf.concat([x, x]),
      (x) => tf.stack([x, x]),
    ] as Op[]) {
      const inputs = [normal([2, 3], 1)];
      checkDifferences(op, inputs);
      leavesNothing(op, inputs);
      tf.dispose(inputs);
    }
  });

  test('a transposed product has no gradient and says so', () => {
    tf.tidy(() => {
      const inputs = [normal([3, 3], 1), normal([3, 3], 2)];
      assert.throws(
        () => tf.grads((a: tf.Tensor, b: tf.Tensor) => tf.matMul(a, b, false, true))(inputs),
        /transpose first/,
      );
    });
  });

  test('a kernel without a gradient throws an error that names it', () => {
    tf.tidy(() => {
      assert.throws(() => tf.grad((x: tf.Tensor) => tf.tanh(x))(tf.ones([2])), /Tanh/);
    });
  });
});
