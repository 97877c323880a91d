import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { UserError } from '../../src/common/errors.js';
import { tf } from '../../src/ops/tf.js';
import { Meter, trainFigures } from '../../src/train/meter.js';
import type { UpdateFigures } from '../../src/train/update.js';
import { useBackend } from './tiny.js';

before(() => useBackend('cpu'));

const figures = (loss: number[], nll: number[], norm: number, tokens: number): UpdateFigures => ({
  loss: loss.map((value) => tf.scalar(value)),
  nll: nll.map((value) => tf.scalar(value)),
  gradientNorm: tf.scalar(norm),
  tokens,
  pairs: 3,
});

test('figures of two updates, worked by hand', async () => {
  const meter = new Meter(1.5);
  meter.add(figures([4, 8], [2, 6], 2, 6), 1, 0.5);
  meter.add(figures([12], [8], 1, 2), 2, 1.5);
  assert.equal(meter.updates, 2);
  const sums = await meter.read();
  const { loss, nll_loss, ppl, wps, ...rest } = trainFigures({ ...sums, seconds: 2 });
  const close = (actual: number, expected: number) => assert.ok(Math.abs(actual - expected) < 1e-12);
  close(loss, 24 / 8 / Math.LN2);
  close(nll_loss, 16 / 8 / Math.LN2);
  close(ppl, Math.exp(2));
  close(wps, 4);
  assert.deepEqual(rest, { ups: 1, wpb: 4, bsz: 3, gnorm: 1.5, clip: 50 });
});

test('reading at any time changes nothing, and a reset begins anew', async () => {
  const meter = new Meter(0);
  meter.add(figures([4], [2], 2, 6), 1, 1);
  await meter.read();
  meter.add(figures([6], [4], 1, 2), 2, 1);
  const { loss, clipped, tokens } = await meter.read();
  assert.deepEqual([loss, clipped, tokens], [10, 0, 8]);
  meter.reset();
  assert.equal(meter.updates, 0);
  assert.equal((await meter.read()).loss, 0);
});

test('the first loss or norm that is not finite is named by its update', async () => {
  for (const bad of [figures([1, Number.NaN], [1, 1], 1, 2), figures([1], [1], Infinity, 2)]) {
    const meter = new Meter(0);
    meter.add(figures([1], [1], 1, 2), 7, 1);
    meter.add(bad, 8, 1);
    meter.add(figures([Number.NaN], [1], 1, 2), 9, 1);
    await assert.rejects(
      meter.read(),
      (error) => error instanceof UserError && /update 8 is not finite/.test(error.message),
    );
  }
});
