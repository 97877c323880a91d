import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadConfig } from '../../src/config/load.js';
import { matrixElements } from '../../src/model/work.js';

const vocabulary = { source: 11, target: 13 };

for (const residual of ['admin', 'deepnorm']) {
  test(`matrices of ${residual} are counted by the tokens that go through them`, () => {
    const { model } = loadConfig({
      sets: [`model={residual: ${residual}, embed-dim: 4, ffn-embed-dim: 6, attention-heads: 2}`].concat(
        ['encoder', 'decoder'].map((stack, i) => `model.${stack}.layers=${i + 2}`),
      ),
    }).config;
    const [square, feedForward] = [4 * 4, 2 * 4 * 6];
    assert.deepEqual(matrixElements(model, vocabulary), {
      source: 2 * (4 * square + feedForward) + 3 * (2 * square),
      target: 3 * (6 * square + feedForward) + 13 * 4,
    });
  });
}
