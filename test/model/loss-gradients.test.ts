import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { initBackend } from '../../src/backend/init.js';
import type { ModelConfig } from '../../src/config/schema.js';
import { type LossGradients, lossGradients } from '../../src/model/loss-gradients.js';
import { Pass, type Recompute } from '../../src/model/pass.js';
import { Transformer } from '../../src/model/transformer.js';
import { tf } from '../../src/ops/tf.js';
import { availableBackends } from '../ops/backends.js';
import { batchOf, RESIDUALS, relativeError, tinyConfig, VOCABULARY } from './models.js';

const TRAINING = { seed: 2 ** 33 + 7, step: 5 };
const DROPOUTS = { dropout: 0.2, attentionDropout: 0.1, activationDropout: 0.3 };

/** Loss, nll and gradients of all trained weights, by name. */
function numbersOf(model: Transformer, recompute: Recompute): Map<string, Float32Array> {
  model.recompute = recompute;
  const found = lossGradients(model, model.trainable, batchOf(), 0.1, TRAINING);
  const names = [...model.weights].filter(([, { trainable }]) => trainable).map(([name]) => name);
  const tensors: [string, tf.Tensor][] = [
    ['loss', found.loss],
    ['nll', found.nll],
    ...names.map((name, i): [string, tf.Tensor] => [name, found.gradients[i]]),
  ];
  const values = new Map(tensors.map(([name, tensor]) => [name, tensor.dataSync() as Float32Array]));
  tf.dispose(found as unknown as Record<keyof LossGradients, tf.Tensor>);
  return values;
}

function modelOf(changes: Partial<ModelConfig>, freeze: readonly string[] = []): Transformer {
  const layers = { encoder: { layers: 3 }, decoder: { layers: 3 } };
  return Transformer.create(tinyConfig({ ...DROPOUTS, ...layers, ...changes }), VOCABULARY, 1, null, freeze);
}

/** Checks that both ways come to the same bits and leave nothing behind. */
function compare(changes: Partial<ModelConfig>, freeze: readonly string[] = []): void {
  const model = modelOf(changes, freeze);
  const before = tf.memory().numTensors;
  const kept = numbersOf(model, 'none');
  const again = numbersOf(model, 'layers');
  assert.equal(tf.memory().numTensors, before);
  assert.deepEqual([...again.keys()], [...kept.keys()]);
  for (const [name, values] of kept) assert.equal(relativeError(again.get(name)!, values), 0, name);
  model.dispose();
}

for (const backend of availableBackends) {
  const quick = backend !== 'webgpu';
  describe(`layers computed again give the same bits on ${backend}`, () => {
    test('in every residual scheme, with dropout', async () => {
      await initBackend(backend);
      for (const residual of quick ? RESIDUALS : (['admin', 'rezero'] as const)) compare({ residual });
    });

    test('with weights that are frozen: all of a stack, its lowest layers, all but one', async () => {
      await initBackend(backend);
      const lowest = ['*.embed_tokens.weight', 'encoder.layers.0.*', 'decoder.layers.0.*'];
      const allBut = [
        'enc*',
        'decoder.embed*',
        'decoder.layers.0.*',
        'decoder.layers.1.s*',
        'decoder.layers.2.*',
      ];
      for (const freeze of [['encoder.*'], lowest, allBut, ['decoder.*', 'encoder.embed*']].slice(
        quick ? 0 : 2,
      ))
        compare({ residual: 'admin', shareEmbeddings: 'decoder' }, freeze);
    });
  });
}

test('with learned positions and gelu', async () => {
  await initBackend('cpu');
  compare({ positions: 'learned', activationFn: 'gelu', residual: 'pre-ln' });
});

test('of a deep model the activations of one layer are there at a time', {
  skip: !availableBackends.includes('native') && 'the native engine is not built',
}, async () => {
  const { memory } = await initBackend('native');
  const side = () => Int32Array.from({ length: 500 }, (_, i) => (i === 499 ? 2 : 4 + (i % 12)));
  const batch = batchOf(Array.from({ length: 4 }, () => ({ source: side(), target: side() })));
  const peak = (layers: number, recompute: Recompute): number => {
    const stacks = { encoder: { layers: 2 * layers }, decoder: { layers } };
    const model = modelOf({ ...stacks, embedDim: 32, ffnEmbedDim: 128, maxPositions: 500 });
    model.recompute = recompute;
    memory!.resetPeak();
    const before = memory!.peak;
    tf.dispose({ ...lossGradients(model, model.trainable, batch, 0.1, TRAINING) });
    const found = memory!.peak - before;
    model.dispose();
    return found;
  };
  /** Bytes of one token that a layer of both stacks adds. */
  const slope = (recompute: Recompute) => (peak(6, recompute) - peak(2, recompute)) / 4 / 2000;
  const [kept, again] = [slope('none'), slope('layers')];
  assert.ok(again < 0.1 * kept, `${[kept, again]}`);
});

test('masks that are numbered on in the backward pass are found out', async (t) => {
  await initBackend('cpu');
  t.mock.method(Pass.prototype, 'repeatable', (work: unknown) => work);
  assert.throws(() => compare({ residual: 'admin' }), assert.AssertionError);
});
