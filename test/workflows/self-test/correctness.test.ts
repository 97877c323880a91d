import assert from 'node:assert/strict';
import { test } from 'node:test';
import { initBackend } from '../../../src/backend/init.js';
import { IMPLEMENTATIONS } from '../../../src/backend/webgpu/kernels/implementations.js';
import { tf } from '../../../src/ops/tf.js';
import { compareWithReference, relativeError } from '../../../src/workflows/self-test/correctness.js';
import { availableBackends } from '../../ops/backends.js';

const skip = !availableBackends.includes('native') && 'the native engine is not built';

/** Puts something around kernels of the native engine for the time of some work. */
async function around<T>(
  wrap: (name: string, kernel: tf.KernelFunc) => tf.KernelFunc,
  work: () => Promise<T>,
): Promise<T> {
  const configs = tf.getKernelsForBackend('native');
  const before = configs.map(({ kernelFunc }) => kernelFunc);
  for (const config of configs) config.kernelFunc = wrap(config.kernelName, config.kernelFunc);
  try {
    return await work();
  } finally {
    configs.forEach((config, i) => {
      config.kernelFunc = before[i];
    });
  }
}

test('an engine is compared in every fused kernel, is found right, and is set as before', {
  skip,
}, async () => {
  const backend = await initBackend('native', 1);
  const called = new Set<string>();
  const note =
    (name: string, kernel: tf.KernelFunc): tf.KernelFunc =>
    (params) => {
      called.add(name);
      return kernel(params);
    };
  const tensors = tf.memory().numTensors;
  const found = await around(note, () => compareWithReference(backend));
  assert.deepEqual(
    found.filter(({ right }) => !right),
    [],
  );
  assert.ok(found.length > 25);
  const fused = Object.keys(IMPLEMENTATIONS).filter((name) => tf.getKernel(name, 'native') != null);
  assert.deepEqual(
    fused.filter((name) => !called.has(name)),
    [],
  );
  assert.equal(tf.getBackend(), 'native');
  assert.equal(tf.memory().numTensors, tensors);
});

test('a kernel that is slightly wrong is found', { skip }, async () => {
  const backend = await initBackend('native', 1);
  const spoil =
    (name: string, kernel: tf.KernelFunc): tf.KernelFunc =>
    (params) => {
      const made = kernel(params);
      if (name !== 'LayerNormGradient') return made;
      const [dx] = made as tf.TensorInfo[];
      const values = (params.backend as tf.KernelBackend).readSync(dx.dataId) as Float32Array;
      (params.backend as unknown as { floats: (info: tf.TensorInfo) => Float32Array }).floats(dx)[7] +=
        1e-3 * Math.max(...values);
      return made;
    };
  const found = await around(spoil, () => compareWithReference(backend));
  assert.deepEqual(
    found.filter(({ right }) => !right).map(({ what }) => what),
    ['layer norm'],
  );
});

test('the error of results: a share of the largest number; NaN and infinities are what they are', () => {
  assert.equal(relativeError([1, 2.5], [1, 2]), 0.25);
  assert.equal(relativeError([0, 0], [0, 0]), 0);
  const { NaN: nan, POSITIVE_INFINITY: infinity } = Number;
  assert.equal(relativeError([nan, infinity, 1], [nan, infinity, 1]), 0);
  for (const found of [[1, 2], [nan], [-infinity], [infinity, 1], undefined])
    assert.equal(relativeError(found, [infinity]), infinity, String(found));
  assert.equal(relativeError([0], [nan]), infinity);
  assert.equal(relativeError([nan], [0]), infinity);
});
