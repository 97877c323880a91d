import assert from 'node:assert/strict';
import { test } from 'node:test';
import { differentiate } from '../../src/ops/differentiate.js';
import { tf } from '../../src/ops/tf.js';
import { withGradient } from '../../src/ops/with-gradient.js';
import { onEachBackend } from './backends.js';

const square = (x: tf.Tensor1D): tf.Tensor1D =>
  withGradient<tf.Tensor1D>([x], (keep) => {
    const saved = keep(x);
    return { value: tf.square(x), gradient: (dy) => [tf.mul(dy, tf.mul(saved(), 2))] };
  });

onEachBackend(() => {
  test('gradients are those of tfjs, bit for bit, and nothing stays but they', async () => {
    const [x, y] = [tf.variable(tf.tensor1d([1.1, -2, 3])), tf.variable(tf.tensor1d([0.3, 5, -7]))];
    const f = () => tf.sum(tf.mul(square(tf.add(tf.mul(x, y), x)), square(y))) as tf.Scalar;
    const expected = tf.variableGrads(f, [x, y]);
    const before = tf.memory().numTensors;
    const { value, gradients } = differentiate(f, [x, y]);
    assert.equal(tf.memory().numTensors, before + 3);
    assert.deepEqual(await value.data(), await expected.value.data());
    for (const [i, { name }] of [x, y].entries())
      assert.deepEqual(await gradients[i].data(), await expected.grads[name].data());
    tf.dispose([value, gradients, expected.value, expected.grads, x, y]);
  });

  test('each gradient is handed out when it is complete, before those of what was read earlier', async () => {
    const names = ['first', 'twice', 'last'];
    const by = [2, 3, 5].map((x) => tf.variable(tf.tensor1d([x, x + 1])));
    const f = () => {
      const low = square(tf.mul(by[0], by[1]) as tf.Tensor1D);
      return tf.sum(tf.mul(tf.add(low, by[1]), square(by[2]))) as tf.Scalar;
    };
    const plain = differentiate(f, by);
    const taken: string[] = [];
    const before = tf.memory().numTensors;
    const { value, gradients } = differentiate(f, by, undefined, (place, gradient) => {
      taken.push(names[place]);
      assert.deepEqual(gradient.dataSync(), plain.gradients[place].dataSync());
      const doubled = tf.mul(gradient, 2);
      gradient.dispose();
      return doubled;
    });
    assert.equal(tf.memory().numTensors, before + 4);
    assert.equal(taken[0], 'last');
    assert.deepEqual(taken.slice(1).sort(), ['first', 'twice']);
    gradients.forEach((gradient, i) => {
      const expected = plain.gradients[i].dataSync().map((x) => 2 * x);
      assert.deepEqual(gradient.dataSync(), expected);
    });
    tf.dispose([value, gradients, plain.value, plain.gradients, by]);
  });

  test('what fails on the way leaves nothing behind, and the tape is that from before', () => {
    const x = tf.variable(tf.tensor1d([1, 2]));
    const before = tf.memory().numTensors;
    const failing = () => {
      square(tf.mul(x, 2));
      throw new Error('on purpose');
    };
    assert.throws(() => differentiate(failing, [x]), /on purpose/);
    assert.equal(tf.memory().numTensors, before);
    assert.equal(tf.engine().state.gradientDepth, 0);
    x.dispose();
  });
});
