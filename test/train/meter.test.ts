import assert from 'node:assert/strict';
import { before, test } from 'node:test';
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
  meter.add(figures([4, 8], [2, 6], 2, 6), 0.5);
  meter.add(figures([12], [8], 1, 2), 1.5);
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
  meter.add(figures([4], [2], 2, 6), 1);
  await meter.read();
  meter.add(figures([6], [4], 1, 2), 1);
  const { loss, clipped, tokens } = await meter.read();
  assert.deepEqual([loss, clipped, tokens], [10, 0, 8]);
  meter.reset();
  assert.equal(meter.updates, 0);
  assert.equal((await meter.read()).loss, 0);
});

test('an update that is not finite is counted, and left out of the sums', async () => {
  for (const bad of [
    () => figures([1, Number.NaN], [1, 1], 1, 2),
    () => figures([1], [1], Infinity, 2),
    () => figures([1], [Number.NaN], 1, 2),
  ]) {
    const meter = new Meter(0);
    meter.add(figures([4], [2], 3, 2), 1);
    assert.equal((await meter.last()).finite, true);
    meter.add(bad(), 1);
    assert.equal(meter.updates, 2);
    assert.equal((await meter.last()).finite, false);
    meter.add(figures([6], [4], 1, 2), 1);
    const sums = await meter.read();
    const { seconds, ...rest } = sums;
    assert.ok(seconds >= 3);
    assert.deepEqual(rest, {
      ...{ updates: 2, skipped: 1, tokens: 4, pairs: 6, loss: 10, nll: 6, gradientNorm: 4, clipped: 0 },
    });
    assert.equal(trainFigures(sums).skipped, 1);
    assert.ok(!('skipped' in trainFigures({ ...sums, skipped: 0 })));
  }
});

test('a stretch of skipped updates alone has no figures but their number', async () => {
  const meter = new Meter(0);
  meter.add(figures([Number.NaN], [1], 1, 2), 1);
  const { loss, gnorm, skipped } = trainFigures(await meter.read());
  assert.deepEqual([loss, gnorm, skipped], [Number.NaN, Number.NaN, 1]);
});

test('last: the figures of the latest update, sums over its batches', async () => {
  const meter = new Meter(0);
  meter.add(figures([1, 2], [3, 4], 5, 6), 1);
  assert.deepEqual(await meter.last(), { loss: 3, nll: 7, gradientNorm: 5, tokens: 6, finite: true });
  assert.deepEqual(await meter.last(), { loss: 3, nll: 7, gradientNorm: 5, tokens: 6, finite: true });
});
