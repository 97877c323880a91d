import assert from 'node:assert/strict';
import * as path from 'node:path';
import { describe, test } from 'node:test';
import type { ModelConfig } from '../../src/config/schema.js';
import { Transformer } from '../../src/model/transformer.js';
import { availableBackends } from '../ops/backends.js';
import { readMetrics, readTensors, scratchFolder, tinyModelConfig, trainTiny, useBackend } from './tiny.js';

const skip = availableBackends.includes('native') ? false : 'the native engine is not built';

/** Large enough that every product and every pass over rows is cut into pieces for the threads. */
const WIDE: Partial<ModelConfig> = {
  ...{ residual: 'admin', embedDim: 96, ffnEmbedDim: 200, attentionHeads: 4, dropout: 0.1 },
  ...{ attentionDropout: 0.1, activationDropout: 0.1 },
};

describe('the native engine', { skip }, () => {
  test('gives the same bits with 1, 2 and 4 threads, whatever was computed before', async () => {
    const checkpoints: Buffer[][] = [];
    for (const threads of [1, 2, 4, 2]) {
      await useBackend('native', threads);
      const folder = scratchFolder();
      const run = { train: { maxUpdate: 20, maxTokens: 400, clipNorm: 1 }, model: WIDE };
      await trainTiny(folder, run);
      checkpoints.push(readTensors(path.join(folder, 'checkpoint_last')));
      Transformer.create(tinyModelConfig(), { source: 24, target: 24 }, 5).dispose();
    }
    for (const other of checkpoints.slice(1)) {
      other.forEach((file, i) => {
        assert.ok(file.equals(checkpoints[0][i]));
      });
    }
  });

  test('learns as the wasm backend does: the same losses to 1e-3 over 100 updates', async () => {
    const losses: number[][] = [];
    for (const backend of ['native', 'wasm'] as const) {
      await useBackend(backend);
      const folder = scratchFolder();
      const model: Partial<ModelConfig> = { ...WIDE, embedDim: 16, ffnEmbedDim: 24 };
      await trainTiny(folder, { train: { maxUpdate: 100, lr: 1e-3 }, model });
      const lines = readMetrics(folder).filter(({ event }) => event === 'train');
      losses.push(lines.map(({ loss }) => loss as number));
    }
    assert.equal(losses[0].length, 100);
    losses[0].forEach((loss, i) => {
      assert.ok(Math.abs(loss - losses[1][i]) < 1e-3, `update ${i + 1}: ${loss} and ${losses[1][i]}`);
    });
    assert.ok(losses[0][99] < losses[0][0] - 0.5, 'it learns');
  });
});
