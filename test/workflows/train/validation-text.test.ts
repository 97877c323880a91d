import assert from 'node:assert/strict';
import { appendFileSync, renameSync, rmSync } from 'node:fs';
import * as path from 'node:path';
import { test } from 'node:test';
import { readValidationText } from '../../../src/workflows/train/validation-text.js';
import { makeDataset, trainedVocabulary } from '../../data/small-dataset.js';

const TRAIN = ['a b', 'b a', 'a b', 'b a'];
const VALID = {
  source: ['a', '', '\u3000', 'e\u0301  a', 'a'.repeat(200)],
  target: ['b \u00a0 b', 'b', 'b', '', 'a'],
};
const make = () =>
  makeDataset(TRAIN, VALID, {
    vocabulary: trainedVocabulary({ vocabSize: 8 }),
    clean: { nfc: true, whitespace: true },
  });

test('every line as it is written, although the dataset has it cleaned, and whatever the filters', async () => {
  const data = await make();
  assert.deepEqual(await readValidationText(data), VALID);
  // Wherever it lies.
  for (const name of ['valid.aa', 'valid.bb']) {
    renameSync(path.join(data.root, name), path.join(data.root, `moved.${name.slice(6)}`));
  }
  assert.deepEqual(await readValidationText({ ...data, valid: 'moved' }), VALID);
});

test('none where the text is gone, was changed, or is of another dataset', async () => {
  const data = await make();
  assert.equal(await readValidationText({ ...data, valid: null }), null);
  assert.equal(await readValidationText({ ...data, valid: 'train' }), null);
  assert.equal(await readValidationText({ ...data, destdir: data.root }), null);
  const file = path.join(data.root, 'valid.bb');
  for (const change of ['c\n', '\xff\n']) {
    appendFileSync(file, change, 'latin1');
    assert.equal(await readValidationText(data), null);
  }
  rmSync(file);
  assert.equal(await readValidationText(data), null);
});
