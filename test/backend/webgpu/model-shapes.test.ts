import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { initBackend } from '../../../src/backend/init.js';
import { Purpose, RandomStream } from '../../../src/common/rng.js';
import type { ModelConfig } from '../../../src/config/schema.js';
import { Transformer } from '../../../src/model/transformer.js';
import { batchOf, differentiate, relativeError, tinyConfig } from '../../model/models.js';
import { availableBackends } from '../../ops/backends.js';

const skip =
  !(availableBackends.includes('webgpu') && availableBackends.includes('native')) &&
  'there is no graphics card, not even in software, or no native engine to compare with';

/** Widths that are no multiples of anything, more tokens than a block of the losses has rows, sentences of many blocks. */
const VOCABULARY = { source: 211, target: 211 };
const SHAPES: Partial<ModelConfig> = {
  ...{ residual: 'admin', activationFn: 'gelu' },
  ...{ embedDim: 36, ffnEmbedDim: 70, attentionHeads: 3, maxPositions: 128 },
  ...{ encoder: { layers: 1 }, decoder: { layers: 1 } },
  ...{ dropout: 0.1, attentionDropout: 0.2, activationDropout: 0.3 },
};

function sentences(count: number): { source: Int32Array; target: Int32Array }[] {
  const stream = new RandomStream({ seed: 5, step: 0, purpose: Purpose.test });
  const side = (): Int32Array =>
    Int32Array.from({ length: 1 + stream.nextBelow(60) }, () => 4 + stream.nextBelow(200));
  return Array.from({ length: count }, () => ({ source: side(), target: side() }));
}

describe('a model of awkward shapes on a graphics card', { skip }, () => {
  test('the loss and every gradient of the native engine, under three dropouts', async (t) => {
    const batch = batchOf(sentences(28));
    assert.ok(batch.targetOutput.length > 520, String(batch.targetOutput.length));
    const results = [];
    for (const backend of ['native', 'webgpu'] as const) {
      await initBackend(backend);
      const model = Transformer.create(tinyConfig(SHAPES), VOCABULARY, 1);
      results.push(differentiate(model, batch, 0.1, { seed: 2 ** 32 + 3, step: 7 }));
      model.dispose();
    }
    const [expected, found] = results;
    assert.ok(
      Math.abs(found.loss - expected.loss) <= 1e-6 * expected.loss,
      `${found.loss}, ${expected.loss}`,
    );
    assert.equal(found.gradients.size, expected.gradients.size);
    let worst = 0;
    for (const [name, gradient] of expected.gradients) {
      const error = relativeError(found.gradients.get(name)!, gradient);
      // The scores of a query do not see a bias of its keys: a third of this gradient is rounding alone.
      if (!name.endsWith('in_proj_bias')) worst = Math.max(worst, error);
      assert.ok(error < 2e-5, `${name}: ${error}`);
    }
    t.diagnostic(`largest relative error of a gradient ${worst.toExponential(1)}`);
  });
});
