import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { initBackend } from '../../../src/backend/init.js';
import type { WebGpuBackend } from '../../../src/backend/webgpu/backend.js';
import { UserError } from '../../../src/common/errors.js';
import { smoothedCrossEntropy } from '../../../src/ops/cross-entropy.js';
import { placedEmbedding } from '../../../src/ops/embedding.js';
import { layTogether } from '../../../src/ops/lists.js';
import { adamUpdate, globalNorm, zeroMoments } from '../../../src/ops/optimizer.js';
import { PreparedLinear } from '../../../src/ops/prepared-linear.js';
import { tf } from '../../../src/ops/tf.js';
import { allClose } from '../../ops/all-close.js';
import { availableBackends } from '../../ops/backends.js';
import { matrix, vector } from '../../ops/samples.js';

const skip = !availableBackends.includes('webgpu') && 'there is no graphics card, not even in software';

/** The table is of 300 rows, a device that takes 32 KiB at once has it in parts of 128. */
const [SIZE, WIDTH, BINDING] = [300, 64, 2 ** 15];
const TOKENS = Int32Array.of(0, 299, 127, 128, 5, 255, 256, 5, 0);
const PLACED = { scale: 8, positions: null, places: new Int32Array(0) };
const DROPOUT = { dropout: 0.3, key: { seed: 1, step: 2, site: 3 } };
const OPTIONS = { lr: 0.1, betas: [0.9, 0.98], eps: 1e-8, weightDecay: 0 } as const;

const device = (): WebGpuBackend => tf.backend() as unknown as WebGpuBackend;

/** What a training does with a table that is the embedding and the output projection, and a translation. */
function useTable(): Float32Array[] {
  const table = tf.tidy(() => tf.variable(matrix(SIZE, WIDTH, 1)));
  layTogether([table]);
  const moments = zeroMoments([table]);
  layTogether(moments.first);
  layTogether(moments.second);
  const asMatrix = table as unknown as tf.Tensor2D;
  const { value, grads } = tf.variableGrads(() => {
    const hidden = placedEmbedding(TOKENS, asMatrix, { ...PLACED, ...DROPOUT });
    return tf.add(smoothedCrossEntropy(hidden, asMatrix, TOKENS, 0.1).loss, tf.sum(hidden)) as tf.Scalar;
  }, [table]);
  const gradient = grads[table.name];
  adamUpdate([table], [gradient], moments, 0.1, OPTIONS);
  const copy = tf.mul(table, 1);
  const bias = vector(SIZE, 5);
  const map = PreparedLinear.of(asMatrix, bias);
  const logits = map.apply(matrix(3, WIDTH, 4));
  const norm = globalNorm([gradient, copy]);
  const found = [value, gradient, table, copy, logits, norm].map(
    (tensor) => tensor.dataSync() as Float32Array,
  );
  map.dispose();
  tf.dispose([value, gradient, table, moments.first, moments.second, copy, bias, logits, norm]);
  return found;
}

describe('tables that are larger than what a program can take', { skip }, () => {
  before(() => initBackend('webgpu'));

  test('they are taken in parts, with the same results', () => {
    const whole = useTable();
    const limits = device().device.facts.limits as { binding: number };
    const { binding } = limits;
    try {
      limits.binding = BINDING;
      const [loss, gradient, ...rest] = useTable();
      allClose(loss, whole[0]);
      allClose(gradient, whole[1], { absolute: 1e-5 });
      for (const [i, values] of rest.entries()) allClose(values, whole[i + 2], { absolute: 1e-4 });
    } finally {
      limits.binding = binding;
    }
  });

  test('where the whole is needed, the error says how large it may be', () => {
    const limits = device().device.facts.limits as { binding: number };
    const { binding } = limits;
    try {
      limits.binding = BINDING;
      const x = matrix(SIZE, WIDTH, 1);
      assert.throws(
        () => tf.softmax(x),
        (error) => error instanceof UserError && /at most 32768 bytes .* found 76800/.test(error.message),
      );
    } finally {
      limits.binding = binding;
    }
  });
});
