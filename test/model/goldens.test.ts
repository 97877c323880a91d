import assert from 'node:assert/strict';
import path from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { packageRoot, readJson } from '../../src/common/files.js';
import { Purpose, RandomStream } from '../../src/common/rng.js';
import type { ModelConfig } from '../../src/config/schema.js';
import type { Batch } from '../../src/data/batch.js';
import { omegaOf, profileModel } from '../../src/model/profile.js';
import { STACKS } from '../../src/model/scheme.js';
import { Transformer, type VocabularySizes } from '../../src/model/transformer.js';
import { adamStepSize, adamUpdate, radamStepSize, zeroMoments } from '../../src/ops/optimizer.js';
import { tf } from '../../src/ops/tf.js';
import { availableBackends } from '../ops/backends.js';
import {
  BACKENDS,
  batchOf,
  differentiate,
  RESIDUALS,
  relativeError,
  tinyConfig,
  useBackend,
} from './models.js';

/** What PyTorch recorded in float64: scripts/record-goldens.py. */
interface Golden {
  config: Partial<ModelConfig>;
  vocabulary: VocabularySizes;
  labelSmoothing: number;
  optimizer: { lr: number; betas: [number, number]; eps: number; weightDecay: number };
  source: number[][];
  target: number[][];
  weights: Record<string, { shape: number[]; data: number[] }>;
  logits: number[];
  loss: number;
  nll: number;
  gradients: Record<string, number[]>;
  /** Of Admin: what the official code profiles, padding counted. */
  paddedOmega?: Record<'encoder' | 'decoder', number[]>;
  steps: Record<'adam' | 'radam', { losses: number[]; weights: Record<string, number[]> }>;
}

const TOLERANCE = 1e-4;
const STEP_SIZES = { adam: adamStepSize, radam: radamStepSize };

type Moved = (weight: number) => number;

/**
 * @param moved what becomes of each weight of a model that is created
 * @param changes of its config
 */
function load(
  residual: string,
  changes: Partial<ModelConfig> = {},
): { golden: Golden; batch: Batch; create: (moved?: Moved) => Transformer } {
  const file = path.join(packageRoot(), 'test/model/fixtures/goldens', `${residual}.json`);
  const golden = readJson(file, 'a golden') as Golden;
  const pairs = golden.source.map((source, i) => ({
    source: Int32Array.from(source),
    target: Int32Array.from(golden.target[i]),
  }));
  const create = (moved: Moved = (weight) => weight): Transformer => {
    const weights = new Map(
      Object.entries(golden.weights).map(([name, { shape, data }]) => [
        name,
        { shape, data: Float32Array.from(data, moved) },
      ]),
    );
    return Transformer.fromWeights(tinyConfig({ ...golden.config, ...changes }), golden.vocabulary, weights);
  };
  return { golden, batch: batchOf(pairs), create };
}

/** The worst of several relative errors, each under the tolerance. */
class Worst {
  private readonly found = new Map<string, number>();

  check(kind: string, what: string, actual: ArrayLike<number>, expected: ArrayLike<number>): void {
    const error = relativeError(actual, expected);
    this.found.set(kind, Math.max(error, this.found.get(kind) ?? 0));
    assert.ok(error <= TOLERANCE, `${what}: relative error ${error}`);
  }

  report(t: TestContext, title: string): void {
    const parts = [...this.found].map(([kind, error]) => `${kind} ${error.toExponential(1)}`);
    t.diagnostic(`${title}: largest relative error: ${parts.join(', ')}`);
  }
}

/** Sets the part of a fused in-projection bias that belongs to the keys to zero. */
function withoutKeyBias(name: string, values: ArrayLike<number>): ArrayLike<number> {
  if (!name.endsWith('in_proj_bias')) return values;
  const width = values.length / 3;
  return Array.from(values, (value, i) => (Math.floor(i / width) === 1 ? 0 : value));
}

function checkSteps(
  worst: Worst,
  name: 'adam' | 'radam',
  { golden, batch, create }: ReturnType<typeof load>,
) {
  const expected = golden.steps[name];
  const model = create();
  const moments = zeroMoments(model.trainable);
  const losses = expected.losses.map((_, i) => {
    const { value, grads } = tf.variableGrads(() => {
      const { loss } = model.loss(batch, golden.labelSmoothing, { training: null });
      return tf.div(loss, batch.targetOutput.length);
    }, model.trainable);
    const gradients = model.trainable.map((weight) => grads[weight.name]);
    const stepSize = STEP_SIZES[name](i + 1, golden.optimizer);
    adamUpdate(model.trainable, gradients, moments, stepSize, golden.optimizer);
    const loss = value.dataSync()[0] * batch.targetOutput.length;
    tf.dispose([value, grads]);
    return loss;
  });
  worst.check(`ten losses (${name})`, `losses of ${name}`, losses, expected.losses);
  for (const [parameter, weight] of model.weights) {
    // A bias of the keys adds the same to every score of a query, so its gradient is zero but for rounding; Adam
    // makes steps of full size out of that.
    const [actual, wanted] = [weight.dataSync(), expected.weights[parameter]].map((values) =>
      withoutKeyBias(parameter, values),
    );
    worst.check(`final weights (${name})`, `${parameter} after ${name}`, actual, wanted);
  }
  tf.dispose([moments.first, moments.second]);
  model.dispose();
}

/** Steps of an optimizer know nothing of the scheme, and a card in software takes seconds for ten: there it takes those of one. */
const takesSteps = (backend: string, residual: string): boolean =>
  backend !== 'webgpu' || residual === 'admin';

for (const backend of availableBackends) {
  describe(`equal to PyTorch on ${backend}`, () => {
    for (const residual of RESIDUALS) {
      test(residual, async (t) => {
        await useBackend(backend);
        const loaded = load(residual);
        const { golden, batch } = loaded;
        const worst = new Worst();
        const model = loaded.create();
        const logits = tf.tidy(() => {
          const memory = model.encode(batch.source, { training: null });
          const hidden = model.decode(batch.targetInput, memory, batch.source.offsets, { training: null });
          return tf.matMul(hidden, tf.transpose(model.outputWeight())).dataSync();
        });
        worst.check('logits', 'logits', logits, golden.logits);
        const { loss, nll, gradients } = differentiate(model, batch, golden.labelSmoothing);
        worst.check('loss', 'loss and nll', [loss, nll], [golden.loss, golden.nll]);
        assert.deepEqual([...gradients.keys()].sort(), Object.keys(golden.gradients).sort());
        for (const [name, expected] of Object.entries(golden.gradients)) {
          worst.check('gradients', `gradient of ${name}`, gradients.get(name)!, expected);
        }
        model.dispose();
        if (takesSteps(backend, residual))
          for (const optimizer of ['adam', 'radam'] as const) checkSteps(worst, optimizer, loaded);
        worst.report(t, `${residual} on ${backend}`);
      });
    }

    test('ω as the official code profiles it, padding counted', async () => {
      await useBackend(backend);
      const asOfficial = { omega: { ...tinyConfig().omega, asOfficial: true } };
      const { golden, batch, create } = load('admin', asOfficial);
      const model = create();
      const found = omegaOf(await profileModel(model, batch, null));
      for (const stack of STACKS) {
        const error = relativeError(found[stack], golden.paddedOmega![stack]);
        assert.ok(error < 1e-5, `ω of the ${stack}: relative error ${error}`);
      }
      model.dispose();
    });
  });
}

/** √Σ(g − g*)² / √Σg*² over all gradients of a model, which is disposed of. */
function gradientError(model: Transformer, { golden, batch }: ReturnType<typeof load>): number {
  const { gradients } = differentiate(model, batch, golden.labelSmoothing);
  model.dispose();
  let [squares, expectedSquares] = [0, 0];
  for (const [name, expected] of Object.entries(golden.gradients)) {
    const found = gradients.get(name)!;
    expected.forEach((value, i) => {
      squares += (found[i] - value) ** 2;
      expectedSquares += value ** 2;
    });
  }
  return Math.sqrt(squares / expectedSquares);
}

/** Largest relative error of rounding to bfloat16. */
const HALF_UNIT = 2 ** -9;

/*
 * A product of rounded operands is one of operands that were each moved by at most HALF_UNIT. What that does to the gradients
 * depends on the model; it is seen by moving every weight by so much, up or down, in float32. Here the other operands,
 * activations and gradients, are rounded as well: so twice as much is allowed.
 */
describe('bfloat16: gradients are as far from those in float64 as rounded operands explain', {
  skip: !BACKENDS.includes('native') && 'the native engine is not built',
}, () => {
  for (const residual of RESIDUALS) {
    test(residual, async (t) => {
      await useBackend('native');
      const loaded = load(residual);
      const rng = new RandomStream({ seed: 1, step: 0, purpose: Purpose.perturbation, site: 0 });
      const upOrDown = (weight: number): number =>
        weight * (1 + (rng.nextUniform() < 0.5 ? HALF_UNIT : -HALF_UNIT));
      const moved = Array.from({ length: 8 }, () => gradientError(loaded.create(upOrDown), loaded));
      const model = loaded.create();
      model.precision = 'bfloat16';
      const rounded = gradientError(model, loaded);
      t.diagnostic(
        `bfloat16 ${rounded.toExponential(1)}, weights moved ${Math.max(...moved).toExponential(1)}`,
      );
      assert.ok(rounded <= 2 * Math.max(...moved));
      assert.ok(rounded > TOLERANCE, 'nothing was rounded');
    });
  }
});
