import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import * as path from 'node:path';
import { describe, test } from 'node:test';
import { InterruptedError } from '../../src/common/errors.js';
import type { ModelConfig, TrainConfig } from '../../src/config/schema.js';
import { Transformer } from '../../src/model/transformer.js';
import { availableBackends } from '../ops/backends.js';
import { readMetrics, readTensors, scratchFolder, tinyModelConfig, trainTiny, useBackend } from './tiny.js';

const skip = availableBackends.includes('native') ? false : 'the native engine is not built';

/** Whether two runs hold the same file, and its name. */
function sameFiles(first: string, second: string, name: string): [boolean, string] {
  const [a, b] = [first, second].map((folder) => readFileSync(path.join(folder, name)));
  return [a.equals(b), name];
}

/** Large enough that every product and every pass over rows is cut into pieces for the threads. */
const WIDE: Partial<ModelConfig> = {
  ...{ residual: 'admin', embedDim: 96, ffnEmbedDim: 200, attentionHeads: 4, dropout: 0.1 },
  ...{ attentionDropout: 0.1, activationDropout: 0.1 },
};

/** A validation and a checkpoint at each of the many epochs take longer than the updates. */
const SAVED_ONCE = { saveInterval: 0, validateInterval: 0 };

describe('the native engine', { skip }, () => {
  for (const [precision, counts, maxUpdate] of [
    ['float32', [1, 2, 4, 2], 20],
    ['bfloat16', [1, 2, 4], 6],
  ] as const)
    test(`gives the same bits with 1, 2 and 4 threads, whatever was computed before: ${precision}`, async () => {
      const checkpoints: Buffer[][] = [];
      for (const threads of counts) {
        await useBackend('native', threads);
        const folder = scratchFolder();
        await trainTiny(folder, {
          train: { ...SAVED_ONCE, precision, maxUpdate, maxTokens: 400, clipNorm: 1 },
          model: WIDE,
        });
        checkpoints.push(readTensors(path.join(folder, 'checkpoint_last')));
        Transformer.create(tinyModelConfig(), { source: 24, target: 24 }, 5).dispose();
      }
      for (const other of checkpoints.slice(1)) {
        other.forEach((file, i) => {
          assert.ok(file.equals(checkpoints[0][i]));
        });
      }
    });

  test('bfloat16: an interrupted training, resumed, comes to the bits of one that was not', async () => {
    await useBackend('native');
    const train: Partial<TrainConfig> = {
      ...{ precision: 'bfloat16', maxUpdate: 8, maxTokens: 25, updateFreq: 2, clipNorm: 0.5, emaDecay: 0.9 },
      ...{ validateWeights: 'ema', averageLast: 2, saveIntervalUpdates: 1 },
    };
    const [whole, parts] = [scratchFolder(), scratchFolder()];
    await trainTiny(whole, { train, model: WIDE });
    let asked = 0;
    const interrupted = () => (asked++ === 4 ? ('SIGTERM' as const) : undefined);
    await assert.rejects(
      trainTiny(parts, { train, model: WIDE, options: { interrupted } }),
      InterruptedError,
    );
    await trainTiny(parts, { train, model: WIDE });
    for (const name of ['model', 'optimizer', 'ema'].map((file) => `checkpoint_last/${file}.safetensors`))
      assert.ok(...sameFiles(whole, parts, name));
    assert.ok(...sameFiles(whole, parts, 'checkpoint_average_last/model.safetensors'));
    assert.deepEqual(readMetrics(parts), readMetrics(whole));
  });

  test('layers computed again: the same checkpoints and metrics, also where a run is gone on with so', async () => {
    await useBackend('native');
    const train: Partial<TrainConfig> = {
      ...{ maxTokens: 25, updateFreq: 2, clipNorm: 0.5, emaDecay: 0.9, saveIntervalUpdates: 2 },
      validateInterval: 0, // nor at the end, where the first part has one
    };
    const model: Partial<ModelConfig> = { ...WIDE, encoder: { layers: 3 } };
    const [whole, again] = [scratchFolder(), scratchFolder()];
    await trainTiny(whole, { train: { ...train, maxUpdate: 6 }, model });
    await trainTiny(again, { train: { ...train, maxUpdate: 3, recompute: 'layers' }, model });
    await trainTiny(again, { train: { ...train, maxUpdate: 6, recompute: 'layers' }, model });
    for (const name of ['model', 'optimizer', 'ema'].map((file) => `checkpoint_last/${file}.safetensors`))
      assert.ok(...sameFiles(whole, again, name));
    assert.deepEqual(readMetrics(again), readMetrics(whole));
  });

  test('bfloat16: the losses of float32 to 1 % in 30 updates, of other bits; validations as well, all their weights', async () => {
    await useBackend('native');
    const curves = { float32: scratchFolder(), bfloat16: scratchFolder() };
    const events = (folder: string, kind: string): number[] =>
      readMetrics(folder).flatMap(({ event, loss }) => (event === kind ? [loss as number] : []));
    for (const precision of ['float32', 'bfloat16'] as const) {
      const train = { precision, maxUpdate: 30, lr: 1e-3, emaDecay: 0.9, validateWeights: 'ema' } as const;
      await trainTiny(curves[precision], { train, model: WIDE });
    }
    for (const kind of ['train', 'valid']) {
      const [exact, rounded] = [events(curves.float32, kind), events(curves.bfloat16, kind)];
      assert.equal(rounded.length, exact.length);
      exact.forEach((loss, i) => {
        assert.notEqual(loss, rounded[i]);
        assert.ok(Math.abs(loss - rounded[i]) < 0.01 * loss, `${kind} ${i}: ${loss} and ${rounded[i]}`);
      });
    }
  });

  test('learns as the wasm backend does: the same losses to 1e-3 over 100 updates', async () => {
    const losses: number[][] = [];
    for (const backend of ['native', 'wasm'] as const) {
      await useBackend(backend);
      const folder = scratchFolder();
      const model: Partial<ModelConfig> = { ...WIDE, embedDim: 16, ffnEmbedDim: 24 };
      await trainTiny(folder, { train: { ...SAVED_ONCE, maxUpdate: 100, lr: 1e-3 }, model });
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
