import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import type { Batch } from '../../src/data/batch.js';
import { packBatch } from '../../src/data/batch.js';
import { Transformer } from '../../src/model/transformer.js';
import { tf } from '../../src/ops/tf.js';
import { type AllReduce, type UpdateFigures, Updater } from '../../src/train/update.js';
import { availableBackends } from '../ops/backends.js';
import { copyTask, tinyModelConfig, tinyTrainConfig, useBackend, VOCABULARY } from './tiny.js';

const pairs = Array.from({ length: 8 }, (_, i) => copyTask(8).pair(i));
const batchOf = (from: number, to: number): Batch =>
  packBatch(
    pairs.slice(from, to).map((_, i) => from + i),
    pairs.slice(from, to),
    2,
  );
const NO_DROPOUT = { dropout: 0, attentionDropout: 0, activationDropout: 0 };

interface Outcome {
  loss: number;
  norm: number;
  tokens: number;
  /** The gradient as the optimizer saw it: its first moment after one step is 1 − β₁ of it. */
  gradient: number[];
  weights: number[];
}

/** One update of a new model. */
function updateOnce(
  batches: Batch[],
  changes: Parameters<typeof tinyTrainConfig>[0] = {},
  allReduce?: AllReduce,
): Outcome {
  const model = Transformer.create(tinyModelConfig(NO_DROPOUT), VOCABULARY, 1);
  const config = tinyTrainConfig({ optimizer: 'adam', ...changes });
  const updater = new Updater(model, { ...config, seed: 1 }, undefined, allReduce);
  const figures = updater.apply(batches, 0, 0.01);
  const outcome = {
    loss: figures.loss.reduce((sum, loss) => sum + loss.dataSync()[0], 0),
    norm: figures.gradientNorm.dataSync()[0],
    tokens: figures.tokens,
    gradient: updater.moments.first.flatMap((m) =>
      [...m.dataSync()].map((x) => x / (1 - config.adamBetas[0])),
    ),
    weights: model.trainable.flatMap((weight) => [...weight.dataSync()]),
  };
  disposeFigures(figures);
  updater.dispose();
  model.dispose();
  return outcome;
}

function disposeFigures({ loss, nll, gradientNorm }: UpdateFigures): void {
  tf.dispose([loss, nll, gradientNorm]);
}

function assertClose(actual: readonly number[], expected: readonly number[], tolerance: number): void {
  assert.equal(actual.length, expected.length);
  const largest = Math.max(...expected.map(Math.abs));
  assert.ok(largest > 0);
  actual.forEach((value, i) => {
    assert.ok(
      Math.abs(value - expected[i]) <= tolerance * largest,
      `at ${i}: ${value}, expected ${expected[i]}`,
    );
  });
}

for (const backend of availableBackends) {
  describe(backend, () => {
    before(() => useBackend(backend));

    test('frozen weights keep their bits, decay included, and have no gradient; the others take the step they would', () => {
      const freeze = ['encoder.*'];
      const [whole, frozen] = [[], freeze].map((patterns) => {
        const model = Transformer.create(tinyModelConfig(NO_DROPOUT), VOCABULARY, 1, null, patterns);
        const start = new Map([...model.weights].map(([name, weight]) => [name, [...weight.dataSync()]]));
        const config = tinyTrainConfig({ optimizer: 'adam', weightDecay: 0.1, labelSmoothing: 0 });
        const updater = new Updater(model, { ...config, seed: 1 });
        disposeFigures(updater.apply([batchOf(0, 4)], 0, 0.01));
        const end = new Map([...model.weights].map(([name, weight]) => [name, [...weight.dataSync()]]));
        const moments = updater.moments.first.length;
        updater.dispose();
        model.dispose();
        return { start, end, moments };
      });
      const names = [...whole.start.keys()];
      const isFrozen = (name: string): boolean => name.startsWith('encoder.');
      assert.equal(frozen.moments, names.filter((name) => !isFrozen(name)).length);
      for (const name of names) {
        const expected = isFrozen(name) ? frozen.start : whole.end;
        assert.deepEqual(frozen.end.get(name), expected.get(name), name);
      }
    });

    test('the optimizer may be ahead of the updates: its bias is corrected by its own steps', () => {
      const weightsAfter = (updates: number, optimizerAhead: number): number[] => {
        const model = Transformer.create(tinyModelConfig(NO_DROPOUT), VOCABULARY, 1);
        const updater = new Updater(model, { ...tinyTrainConfig(), seed: 1, optimizerAhead });
        disposeFigures(updater.apply([batchOf(0, 4)], updates, 0.01));
        const weights = model.trainable.flatMap((weight) => [...weight.dataSync()]);
        updater.dispose();
        model.dispose();
        return weights;
      };
      assert.deepEqual(weightsAfter(0, 40), weightsAfter(40, 0));
      assert.deepEqual(weightsAfter(40, -40), weightsAfter(0, 0));
      assert.notDeepEqual(weightsAfter(0, 40), weightsAfter(0, 0));
    });

    test('batches that are summed give the gradient of one large batch', () => {
      const whole = updateOnce([batchOf(0, 8)]);
      const halves = updateOnce([batchOf(0, 3), batchOf(3, 8)], { updateFreq: 2 });
      assert.equal(halves.tokens, whole.tokens);
      assertClose([halves.loss, halves.norm], [whole.loss, whole.norm], 1e-6);
      assertClose(halves.gradient, whole.gradient, 1e-5);
      assert.ok(Math.abs(Math.hypot(...whole.gradient) - whole.norm) < 1e-5 * whole.norm);
    });

    test('the gradient is that of the loss per token: the same pairs twice change nothing', () => {
      const once = updateOnce([batchOf(0, 4)]);
      const twice = updateOnce([batchOf(0, 4), batchOf(0, 4)]);
      assert.equal(twice.tokens, 2 * once.tokens);
      assertClose(twice.gradient, once.gradient, 1e-5);
    });

    test('gradients and token counts of other machines take part before the norm and the step', () => {
      const batches = [batchOf(0, 3), batchOf(3, 8)];
      const whole = updateOnce(batches);
      const other: AllReduce = ({ gradients, tokens, ...figures }) => {
        const doubled = gradients.map((gradient) => tf.mul(gradient, 2));
        tf.dispose(gradients);
        return { ...figures, gradients: doubled, tokens: 2 * tokens };
      };
      const reduced = updateOnce(batches, {}, other);
      assertClose(reduced.gradient, whole.gradient, 1e-6);
      assertClose([reduced.norm], [whole.norm], 1e-6);
    });

    test('clipping scales to the norm, and leaves what is below it', () => {
      const free = updateOnce([batchOf(0, 8)]);
      const clipped = updateOnce([batchOf(0, 8)], { clipNorm: free.norm / 4 });
      assertClose([clipped.norm], [free.norm], 1e-6);
      assertClose(
        clipped.gradient,
        free.gradient.map((x) => x / 4),
        1e-4,
      );
      const below = updateOnce([batchOf(0, 8)], { clipNorm: free.norm * 2 });
      assert.deepEqual(below.weights, free.weights);
    });

    test('an update that is not finite is skipped: weights and moments keep their bits', () => {
      for (const clipNorm of [0, 0.1]) {
        for (const bad of [Number.NaN, Infinity]) {
          const model = Transformer.create(tinyModelConfig(NO_DROPOUT), VOCABULARY, 1);
          let updates = 0;
          const poison: AllReduce = ({ gradients, ...figures }) => {
            if (++updates !== 2) return { gradients, ...figures };
            const poisoned = gradients.map((gradient, i) => (i === 3 ? tf.mul(gradient, bad) : gradient));
            gradients[3].dispose();
            return { gradients: poisoned, ...figures };
          };
          const config = tinyTrainConfig({ optimizer: 'adam', clipNorm, weightDecay: 0.1 });
          const updater = new Updater(model, { ...config, seed: 1 }, undefined, poison);
          const bits = () =>
            [...model.trainable, ...updater.moments.first, ...updater.moments.second].flatMap((tensor) => [
              ...tensor.dataSync(),
            ]);
          const apply = (step: number) => disposeFigures(updater.apply([batchOf(0, 8)], step, 0.01));
          apply(0);
          const before = bits();
          apply(1);
          assert.deepEqual(bits(), before);
          apply(2);
          assert.notDeepEqual(bits(), before);
          updater.dispose();
          model.dispose();
        }
      }
    });

    test('RAdam takes no step while its variance is untractable, weight decay aside', () => {
      const model = Transformer.create(tinyModelConfig(NO_DROPOUT), VOCABULARY, 1);
      const initial = model.trainable.flatMap((weight) => [...weight.dataSync()]);
      model.dispose();
      assert.deepEqual(updateOnce([batchOf(0, 8)], { optimizer: 'radam' }).weights, initial);
      const decayed = updateOnce([batchOf(0, 8)], { optimizer: 'radam', weightDecay: 0.5 });
      assertClose(
        decayed.weights,
        initial.map((x) => x * (1 - 0.01 * 0.5)),
        1e-6,
      );
    });
  });
}

test('the number of tensors stays the same over 50 updates with dropout', async () => {
  await useBackend('wasm');
  const model = Transformer.create(tinyModelConfig(), VOCABULARY, 1);
  const updater = new Updater(model, { ...tinyTrainConfig({ clipNorm: 1 }), seed: 1 });
  const { numTensors } = tf.memory();
  for (let updates = 0; updates < 50; updates++) {
    disposeFigures(updater.apply([batchOf(0, 3), batchOf(3, 8)], updates, 0.01));
    assert.equal(tf.memory().numTensors, numTensors, `after ${updates + 1} updates`);
  }
  updater.dispose();
  model.dispose();
});
