import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ModelConfig, TrainConfig } from '../../../src/config/schema.js';
import type { NonFinite } from '../../../src/model/non-finite.js';
import { type Site, sitesOf } from '../../../src/model/scheme.js';
import { adviceFrom, usualLr } from '../../../src/train/doctor/advice.js';
import type { Facts } from '../../../src/train/doctor/facts.js';
import { tinyModelConfig, tinyTrainConfig } from '../tiny.js';

const DEEP: Partial<ModelConfig> = { embedDim: 512, encoder: { layers: 18 }, decoder: { layers: 6 } };
const BRANCH: NonFinite = {
  side: 'forward',
  what: 'branch',
  place: { stack: 'encoder', layer: 0, sublayer: 'fc' },
  parameter: null,
};

interface Changes {
  model?: Partial<ModelConfig>;
  train?: Partial<TrainConfig>;
  dependency?: number;
  norms?: (number | null)[];
  facts?: Partial<Facts>;
}

/** The measures for a run of which nothing is remarkable but what is given. */
function measures({ model, train, dependency = 0.05, norms, facts }: Changes = {}): string[] {
  const modelConfig = tinyModelConfig({ embedDim: 512, ...model });
  const sites: Site[] = [...sitesOf(modelConfig, 'encoder'), ...sitesOf(modelConfig, 'decoder')];
  const gradientNorm = norms ?? Array.from({ length: 200 }, (_, i) => 1 + 0.1 * (i % 3));
  return adviceFrom({
    ...{ failure: 'non-finite', update: 30_000, lr: 2e-4, tokens: 8000, unigram: null, norms: [] },
    diagnosis: { cause: 'model', first: BRANCH, pairs: [1, 2] },
    history: { last: 30_000, nll: gradientNorm.map(() => 5), gradientNorm },
    dependencies: sites.map((site) => ({ ...site, shortcutVariance: 1, branchVariance: 1, dependency })),
    train: tinyTrainConfig({ lr: 7e-4, warmupUpdates: 4000, clipNorm: 0, ...train }),
    model: modelConfig,
    ...facts,
  }).map(({ measure }) => measure);
}

test('nothing remarkable: back to the last checkpoint at a smaller rate', () => {
  assert.deepEqual(measures(), ['rollback']);
});

test('what the diagnosis tells alone', () => {
  const weight: NonFinite = { ...BRANCH, what: 'weight', parameter: 'encoder.layers.0.fc1.weight' };
  const of = (diagnosis: Facts['diagnosis']) => measures({ facts: { diagnosis }, train: { lr: 1 } });
  assert.deepEqual(of({ cause: 'weight', first: weight, pairs: [1] }), ['checkpoint']);
  assert.deepEqual(of({ cause: 'batch', first: BRANCH, pairs: [1] }), ['sentences']);
  assert.deepEqual(of({ cause: 'unknown', first: null, pairs: [1] }), ['machine']);
});

test('Admin: for Post-LN that is deep and leans on its branches, and for nothing else', () => {
  const heavy = { dependency: 0.3 };
  assert.deepEqual(measures({ model: { ...DEEP, residual: 'post-ln' }, ...heavy }), ['admin']);
  for (const residual of ['admin', 'pre-ln', 'deepnorm'] as const)
    assert.deepEqual(measures({ model: { ...DEEP, residual }, ...heavy }), ['rollback']);
  assert.deepEqual(measures({ model: { residual: 'post-ln' }, ...heavy }), ['rollback'], 'not deep');
  assert.deepEqual(measures({ model: { ...DEEP, residual: 'post-ln' }, dependency: 0.05 }), ['rollback']);
  const nan = { model: { ...DEEP, residual: 'post-ln' }, dependency: Number.NaN } as const;
  assert.deepEqual(measures(nan), ['rollback']);
});

test('warmup: where it went wrong in it or soon after', () => {
  assert.deepEqual(measures({ facts: { update: 5000 } }), ['warmup']);
  assert.deepEqual(measures({ facts: { update: 9000 } }), ['rollback']);
});

test('learning rate: far above what is usual, or a norm that grows', () => {
  assert.ok(
    Math.abs(usualLr({ embedDim: 512 }, 4000) - 7e-4) < 1e-5,
    'Vaswani et al.: 7e-4 for the base model',
  );
  assert.deepEqual(measures({ train: { lr: 0.01 } }), ['lr']);
  const growing = Array.from({ length: 200 }, (_, i) => 1.01 ** i);
  assert.deepEqual(measures({ norms: growing }), ['lr']);
});

test('a loss that is stuck: a low rate is too low, and any other may be too high', () => {
  assert.deepEqual(measures({ train: { lr: 1e-6 } }), ['rollback']);
  for (const lr of [1e-6, 7e-4])
    assert.deepEqual(measures({ train: { lr }, facts: { failure: 'plateau', diagnosis: null } }), ['lr']);
});

test('clipping: where the last norm has jumped and nothing clips it', () => {
  const jump = [...Array.from({ length: 100 }, () => 1), 50, null, null];
  assert.deepEqual(measures({ norms: jump }), ['clip-norm']);
  assert.deepEqual(measures({ norms: jump, train: { clipNorm: 1 } }), ['rollback']);
});

test('batch size: where updates are small and norms noisy', () => {
  const noisy = Array.from({ length: 200 }, (_, i) => [1, 3, 0.5, 8, 2][i % 5]);
  assert.deepEqual(measures({ norms: noisy, facts: { tokens: 300 } }), ['batch-size']);
  assert.deepEqual(measures({ norms: noisy }), ['rollback']);
});

test('several rules may hold; a short history is no evidence', () => {
  assert.deepEqual(measures({ facts: { update: 10 }, train: { lr: 1 }, norms: [null, 3, null] }), [
    'warmup',
    'lr',
  ]);
  assert.deepEqual(measures({ norms: [null] }), ['rollback']);
});
