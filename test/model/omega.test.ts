import assert from 'node:assert/strict';
import { test } from 'node:test';
import { analyticOmega, analyticOmegaSquared } from '../../src/model/omega.js';
import { tinyConfig } from './models.js';

test('log-n by the number of sublayers, as the authors print it', () => {
  const expected: [number, number][] = [
    [12, 2.017],
    [18, 2.335],
    [36, 3.041],
    [54, 3.567],
    [200, 6.075],
    [300, 7.193],
  ];
  for (const [n, omega] of expected) {
    assert.equal(Math.sqrt(analyticOmegaSquared('log-n', n)).toFixed(3), omega.toFixed(3));
  }
});

test('constant and linear', () => {
  assert.equal(analyticOmegaSquared('constant', 36), 36);
  assert.equal(analyticOmegaSquared('linear', 36), 1);
});

test('one value for each sublayer of a stack, by its own depth', () => {
  const config = tinyConfig({ encoder: { layers: 6 }, decoder: { layers: 6 } });
  const { encoder, decoder } = analyticOmega(config);
  assert.equal(encoder.length, 12);
  assert.equal(decoder.length, 18);
  assert.deepEqual([...new Set(encoder.map((omega) => omega.toFixed(3)))], ['2.017']);
  assert.deepEqual([...new Set(decoder.map((omega) => omega.toFixed(3)))], ['2.335']);
});
