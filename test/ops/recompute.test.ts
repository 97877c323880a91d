import assert from 'node:assert/strict';
import { test } from 'node:test';
import { matMul } from '../../src/ops/matmul.js';
import { type Link, recomputedChain } from '../../src/ops/recompute.js';
import { tf } from '../../src/ops/tf.js';
import { onEachBackend } from './backends.js';
import { matrix } from './samples.js';

const [ROWS, WIDTH, LINKS] = [5, 7, 4];

/** x·W + m∘x + 0.3·m: reads x twice and m twice. */
const link = (x: tf.Tensor2D, shared: tf.Tensor2D | null, weight: tf.Tensor2D): tf.Tensor2D =>
  tf.tidy(() => tf.add(tf.add(matMul(x, weight), tf.mul(shared!, x)), tf.mul(shared!, 0.3)));

interface Parts {
  x: tf.Tensor2D;
  shared: tf.Tensor2D;
  weights: tf.Variable[];
}

/** Runs something with x, what is shared, and a weight for each link; they are gone afterwards. */
function withParts<T>(trainable: (i: number) => boolean, work: (parts: Parts) => T): T {
  const before = tf.memory().numTensors;
  const [x, shared] = [matrix(ROWS, WIDTH, 1), matrix(ROWS, WIDTH, 2)];
  const weights = Array.from({ length: LINKS }, (_, i) =>
    tf.tidy(() => tf.variable(matrix(WIDTH, WIDTH, 10 + i), trainable(i))),
  );
  const result = work({ x, shared, weights });
  tf.dispose([x, shared, weights]);
  assert.equal(tf.memory().numTensors, before);
  return result;
}

function chain(
  { x, shared, weights }: Parts,
  trained: { x: boolean; shared: boolean },
  calls: number[] = [],
) {
  const links = weights.map(
    (weight, i): Link => ({
      weights: weight.trainable ? [weight] : [],
      compute: (input, read) => {
        calls.push(i);
        return link(input, read, weight as unknown as tf.Tensor2D);
      },
    }),
  );
  return recomputedChain(
    { tensor: x, trained: trained.x },
    { tensor: shared, trained: trained.shared },
    links,
  );
}

const plain = ({ x, shared, weights }: Parts): tf.Tensor2D =>
  weights.reduce((hidden, weight) => link(hidden, shared, weight as unknown as tf.Tensor2D), x);

/** Values of y and of the gradients of a sum of its squares. */
function valuesOf(f: () => tf.Tensor2D, by: tf.Tensor[]): Float32Array[] {
  const { value, grads } = tf.engine().gradients(() => tf.sum(tf.square(f())) as tf.Scalar, by);
  const values = [value, ...grads].map((tensor) => tensor.dataSync() as Float32Array);
  tf.dispose([value, grads]);
  return values;
}

onEachBackend(() => {
  test('the values and gradients are those of the links by themselves, bit for bit', () => {
    withParts(
      () => true,
      (parts) => {
        const by = [parts.x, parts.shared, ...parts.weights];
        const both = { x: true, shared: true };
        assert.deepEqual(
          valuesOf(() => chain(parts, both), by),
          valuesOf(() => plain(parts), by),
        );
      },
    );
  });

  test('each link is computed twice; below the lowest that is trained, once', () => {
    const cases = [
      [{ x: true, shared: false }, [3, 2, 1, 0]],
      [{ x: false, shared: true }, [3, 2, 1, 0]],
      [{ x: false, shared: false }, [3, 2]],
    ] as const;
    for (const [trained, again] of cases)
      withParts(
        (i) => i >= 2,
        (parts) => {
          const calls: number[] = [];
          const by = [
            ...(trained.x ? [parts.x] : []),
            ...(trained.shared ? [parts.shared] : []),
            ...parts.weights.slice(2),
          ];
          assert.deepEqual(
            valuesOf(() => chain(parts, trained, calls), by),
            valuesOf(() => plain(parts), by),
          );
          assert.deepEqual(calls, [0, 1, 2, 3, ...again]);
        },
      );
  });

  test('between the passes no more is there than what each link begins with', () => {
    withParts(
      () => true,
      (parts) => {
        const both = { x: true, shared: true };
        const before = tf.memory().numDataBuffers;
        let kept = 0;
        valuesOf(() => {
          const y = chain(parts, both);
          kept = tf.memory().numDataBuffers - before;
          return y;
        }, [parts.x]);
        assert.ok(kept <= LINKS + 2, `${kept}`); // three between the links, y, and on wasm two more
      },
    );
  });

  test('without a tape it is the links alone', () => {
    withParts(
      () => true,
      (parts) =>
        tf.tidy(() => {
          const calls: number[] = [];
          assert.deepEqual(
            chain(parts, { x: true, shared: true }, calls).dataSync(),
            plain(parts).dataSync(),
          );
          assert.deepEqual(calls, [0, 1, 2, 3]);
        }),
    );
  });
});
