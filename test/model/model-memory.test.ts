import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UserError } from '../../src/common/errors.js';
import { checkModelMemory, TRAINING_COPIES } from '../../src/model/model-memory.js';
import { Transformer } from '../../src/model/transformer.js';
import { tinyConfig, VOCABULARY } from './models.js';

test('a model that is larger than the memory is refused with both figures, before it is made', () => {
  const giant = tinyConfig({ embedDim: 16384, ffnEmbedDim: 65536, encoder: { layers: 2000 } });
  assert.throws(
    () => Transformer.create(giant, VOCABULARY, 1),
    (error) =>
      error instanceof UserError && /found one of [\d,]{17,} weights, which takes \d{5}/.test(error.message),
  );
});

test('training takes four copies', () => {
  const config = tinyConfig({});
  const allowed = { bytes: 4 * 100_000, source: 'a test' };
  checkModelMemory(config, VOCABULARY, 1, allowed);
  const tight = { bytes: 20_000, source: 'a test' };
  assert.throws(
    () => checkModelMemory(config, VOCABULARY, TRAINING_COPIES, tight),
    /into 0\.0 MiB \(a test\).*4 times its size/,
  );
});
