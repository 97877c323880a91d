import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { measureDependency, ResidualStream } from '../../src/analysis/dependency.js';
import type { Tap } from '../../src/model/pass.js';
import type { Site } from '../../src/model/scheme.js';
import { Transformer } from '../../src/model/transformer.js';
import { watchForward } from '../../src/model/watch-forward.js';
import { tf } from '../../src/ops/tf.js';
import { batchOf, RESIDUALS, tinyConfig, useBackend, VOCABULARY } from '../model/models.js';
import { assertClose } from './close.js';
import { movedModel } from './models.js';

before(async () => {
  await useBackend('cpu');
});

describe('two sublayers by hand', () => {
  const [self, fc]: Site[] = [
    { stack: 'encoder', layer: 0, sublayer: 'self' },
    { stack: 'encoder', layer: 0, sublayer: 'fc' },
  ];
  const shares = async (residual: 'post-ln' | 'pre-ln', parts: [shortcut: number[], branch: number[]][]) => {
    const model = Transformer.create(tinyConfig({ residual, embedDim: 2, attentionHeads: 1 }), VOCABULARY, 1);
    const stream = new ResidualStream(model);
    const found: (readonly number[])[] = [];
    for (const [i, [shortcut, branch]] of parts.entries()) {
      found.push((await stream.add([self, fc][i], tf.tensor2d([shortcut]), tf.tensor2d([branch]))).shares);
    }
    model.dispose();
    return found;
  };

  test('post-ln', async () => {
    // x₀ has variance 1, f₁ 4: their sum (−1, 1) has deviation 1, and so LN leaves both as they are.
    // Then f₂ has variance 9, the sum (2, −2) deviation 2: LN leaves variances of 1/4, 4/4 and 9/4.
    const [first, second] = await shares('post-ln', [
      [
        [1, -1],
        [-2, 2],
      ],
      [
        [-1, 1],
        [3, -3],
      ],
    ]);
    assertClose(first, [1 / 5, 4 / 5], 1e-4);
    assertClose(second, [1 / 14, 4 / 14, 9 / 14], 1e-4);
  });

  test('pre-ln, where a mean does not count', async () => {
    const [first, second] = await shares('pre-ln', [
      [
        [3, 1],
        [-2, 2],
      ],
      [
        [1, 3],
        [13, 7],
      ],
    ]);
    assertClose(first, [1 / 5, 4 / 5], 1e-6);
    assertClose(second, [1 / 14, 4 / 14, 9 / 14], 1e-6);
  });
});

for (const residual of RESIDUALS) {
  test(`${residual}: the parts add up to the output of each sublayer, whatever the weights`, async () => {
    const model = movedModel({ residual });
    const streams = { encoder: new ResidualStream(model), decoder: new ResidualStream(model) };
    let compared = 0;
    const outputs: Float32Array[] = [];
    const tap: Tap = (_, output) => {
      outputs.push(output.dataSync<'float32'>());
      return output;
    };
    const hidden = await watchForward(model, batchOf(), { training: null, tap }, async (site, ...tensors) => {
      await streams[site.stack].add(site, ...tensors);
      const sum = streams[site.stack].parts.reduce((total, part) => total.map((value, i) => value + part[i]));
      assertClose(sum, outputs[compared], 1e-4);
      compared++;
    });
    tf.dispose([hidden.encoder, hidden.decoder]);
    assert.equal(compared, 2 * 2 + 3 * 2);
    model.dispose();
  });
}

test('rows sum to 1, in the order of the forward pass; nothing is left behind', async () => {
  const model = movedModel({ residual: 'admin' });
  const count = tf.memory().numTensors;
  const rows = await measureDependency(model, batchOf(), null);
  assert.equal(tf.memory().numTensors, count);
  assert.deepEqual(
    rows.map(({ shares }) => shares.length),
    [2, 3, 4, 5, 2, 3, 4, 5, 6, 7],
  );
  for (const { shares } of rows) assertClose([shares.reduce((sum, share) => sum + share, 0)], [1], 1e-6);
  assert.ok(rows.every(({ bias }) => bias > 0));
  model.dispose();
});

test('at the start there are no biases, and rezero depends on its embeddings alone', async () => {
  const model = Transformer.create(tinyConfig({ residual: 'rezero' }), VOCABULARY, 1);
  for (const { shares, bias } of await measureDependency(model, batchOf(), null)) {
    assert.deepEqual([bias, shares[0]], [0, 1]);
  }
  model.dispose();
});
