import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { test } from 'node:test';
import { UserError } from '../../src/common/errors.js';
import { sha256 } from '../../src/common/files.js';
import { BpeTrainer, Tokenizer } from '../../src/tokenizer/index.js';
import {
  fixtures,
  keptCases,
  type Outcome,
  PREFIX,
  probes,
  type Recorded,
  recordedFile,
  small,
  trainedCases,
} from './recorded.js';

const recorded = JSON.parse(fs.readFileSync(recordedFile, 'utf8')) as Recorded;
const { most, least } = recorded.limits;

function check(tokenizer: Tokenizer, expected: Outcome): void {
  const hash = (lines: readonly string[]): string => sha256(lines.join('\n'));
  const ids = probes.map((line) => tokenizer.encodeIds(line));
  const lines = ids.map((line) => line.join(' '));
  assert.deepEqual(lines.slice(0, expected.first.length), expected.first);
  assert.equal(hash(lines), expected.ids, 'ids');
  assert.equal(hash(probes.map((line) => tokenizer.encode(line).join(' '))), expected.pieces, 'pieces');
  assert.equal(hash(ids.map((line) => tokenizer.decodeIds(line))), expected.decoded, 'decoded text');
}

for (const [name, { options, texts }] of Object.entries(trainedCases(most))) {
  test(`a trained model is that of spm_train: ${name}`, () => {
    const trainer = new BpeTrainer({ ...options, input: Object.keys(texts), modelPrefix: PREFIX });
    for (const line of Object.values(texts).flat()) trainer.add(line);
    const tokenizer = trainer.train();
    check(tokenizer, recorded.trained[name]);
    assert.equal(sha256(tokenizer.serialize()), recorded.trained[name].model);
  });
}

for (const name of Object.keys(keptCases)) {
  test(`a model of spm_train encodes and decodes as there: ${name}`, () => {
    const file = path.join(fixtures, `${name}.model`);
    const tokenizer = Tokenizer.load(file);
    check(tokenizer, recorded.kept[name]);
    assert.deepEqual(Buffer.from(tokenizer.serialize()), fs.readFileSync(file));
  });
}

test('sizes that the text cannot give are refused at the limits of spm_train', () => {
  const train = (vocabSize: number): Tokenizer => {
    const trainer = new BpeTrainer({ vocabSize });
    for (const line of small) trainer.add(line);
    return trainer.train();
  };
  const refusal = (pattern: RegExp) => (error: unknown) =>
    error instanceof UserError && pattern.test(error.message);
  assert.equal(train(most).pieces.length, most);
  assert.throws(
    () => train(most + 1),
    refusal(new RegExp(`found one of ${most + 1} pieces; ${most} is the largest`)),
  );
  assert.throws(() => train(100_000), refusal(new RegExp(`Set the vocabulary size to ${most} or less`)));
  assert.equal(train(least).pieces.length, least);
  assert.throws(() => train(least - 1), refusal(new RegExp(`at least ${least} pieces`)));
});
