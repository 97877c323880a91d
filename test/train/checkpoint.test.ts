import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { before, test } from 'node:test';
import { DamageError, UserError } from '../../src/common/errors.js';
import { Transformer } from '../../src/model/transformer.js';
import { type Moments, zeroMoments } from '../../src/ops/optimizer.js';
import { tf } from '../../src/ops/tf.js';
import { readCheckpoint } from '../../src/train/checkpoint.js';
import { INITIAL_STATE, type TrainState } from '../../src/train/state.js';
import {
  ORIGIN,
  scratchFolder,
  tensorsLeft,
  tinyModelConfig,
  useBackend,
  VOCABULARY,
  writeCheckpoint,
} from './tiny.js';

before(() => useBackend('cpu'));

const STATE: TrainState = {
  ...INITIAL_STATE,
  epoch: 3,
  position: 2,
  updates: 17,
  seconds: 4.5,
  validatedAt: 10,
  validatedSeconds: 3,
  bests: [{ loss: 2.25, epoch: 1, updates: 5 }],
  validationsSinceBest: 1,
};

/** Moments that tell every element apart. */
function someMoments(model: Transformer): Moments {
  const moments = zeroMoments(model.trainable);
  [...moments.first, ...moments.second].forEach((moment, i) => {
    moment.assign(tf.tidy(() => tf.reshape(tf.add(tf.range(0, moment.size), i / 100), moment.shape)));
  });
  return moments;
}

const dispose = (model: Transformer, { first, second }: Moments): void => {
  model.dispose();
  tf.dispose([first, second]);
};

/** A checkpoint of a small model. */
async function savedCheckpoint(): Promise<string> {
  const folder = path.join(scratchFolder(), 'checkpoint_3_17');
  const model = Transformer.create(tinyModelConfig(), VOCABULARY, 5);
  const moments = someMoments(model);
  await writeCheckpoint(folder, { model, moments, origin: ORIGIN, lr: 0.25, state: STATE });
  dispose(model, moments);
  return folder;
}

const values = (tensors: Iterable<tf.Tensor>): number[][] =>
  [...tensors].map((tensor) => [...tensor.dataSync()]);
const restore = (folder: string, changes: Parameters<typeof tinyModelConfig>[0] = {}, origin = ORIGIN) =>
  readCheckpoint(folder, tinyModelConfig(changes), VOCABULARY, origin);
const refuses = (work: () => unknown, ...patterns: RegExp[]): void =>
  assert.throws(work, (error) => {
    if (!(error instanceof UserError)) throw error;
    for (const pattern of patterns) assert.match(error.message, pattern);
    return true;
  });

test('what is read is what was written', async () => {
  const folder = await savedCheckpoint();
  assert.deepEqual(fs.readdirSync(folder).sort(), [
    'checksums.json',
    'model.safetensors',
    'optimizer.safetensors',
    'state.json',
  ]);
  const { model, moments, ...content } = restore(folder);
  assert.deepEqual(content, { origin: ORIGIN, lr: 0.25, state: STATE, ema: undefined, metrics: undefined });
  const original = Transformer.create(tinyModelConfig(), VOCABULARY, 5);
  const originalMoments = someMoments(original);
  assert.deepEqual(values(model.weights.values()), values(original.weights.values()));
  assert.deepEqual(values(moments.first), values(originalMoments.first));
  assert.deepEqual(values(moments.second), values(originalMoments.second));
  dispose(model, moments);
  dispose(original, originalMoments);
});

test('constants have no moments: a constant ω is stored with the weights alone', async () => {
  const folder = path.join(scratchFolder(), 'checkpoint_1_1');
  const config = tinyModelConfig({ residual: 'admin', omega: { ...tinyModelConfig().omega, train: false } });
  const model = Transformer.create(config, VOCABULARY, 5, null);
  const moments = someMoments(model);
  await writeCheckpoint(folder, { model, moments, origin: ORIGIN, lr: 1, state: STATE });
  const read = readCheckpoint(folder, config, VOCABULARY, ORIGIN);
  assert.equal(read.moments.first.length, model.trainable.length);
  assert.ok(read.model.weights.size > model.trainable.length);
  dispose(model, moments);
  dispose(read.model, read.moments);
});

test('a checkpoint of another vocabulary, dataset or setting is refused, naming both', async () => {
  const folder = await savedCheckpoint();
  const { aa, bb } = ORIGIN.vocabulary;
  const otherHash = { ...ORIGIN, vocabulary: { aa, bb: { size: 24, hash: 'x0' } } };
  refuses(
    () => restore(folder, {}, otherHash),
    /state\.json/,
    /bb vocabulary of 24 symbols \(x0\)/,
    /16 symbols \(b0\)/,
  );
  const otherLanguage = { ...ORIGIN, vocabulary: { aa, cc: bb } };
  refuses(() => restore(folder, {}, otherLanguage), /cc vocabulary/, /other languages/);
  refuses(() => restore(folder, {}, { ...ORIGIN, dataHash: 'd1' }), /training split d1, found one of d0/);
  refuses(
    () => restore(folder, {}, { ...ORIGIN, settings: { seed: 2 } }),
    /trained with seed 1, found 2/,
    /--allow-change seed/,
  );
});

test('a checkpoint of another shape is refused, naming the parameter and both shapes', async () => {
  const folder = await savedCheckpoint();
  refuses(
    () => restore(folder, { ffnEmbedDim: 20 }),
    /model\.safetensors/,
    /fc1\.weight/,
    /\[20,8\]/,
    /\[12,8\]/,
  );
  refuses(() => restore(folder, { decoder: { layers: 2 } }), /decoder\.layers\.1/);
});

test('damaged files are refused by name, whatever the damage, and nothing leaks', async () => {
  const folder = await savedCheckpoint();
  const damages: ((whole: Buffer) => Buffer)[] = [
    (whole) => whole.subarray(0, Math.floor(whole.length / 3)),
    (whole) => Buffer.concat([Buffer.alloc(64, 0xff), whole.subarray(64)]),
    () => Buffer.alloc(0),
    (whole) => Buffer.concat([whole, whole]),
  ];
  for (const name of fs.readdirSync(folder)) {
    const file = path.join(folder, name);
    const whole = fs.readFileSync(file);
    for (const damage of damages) {
      fs.writeFileSync(file, damage(whole));
      const left = await tensorsLeft(async () => refuses(() => restore(folder), new RegExp(name)));
      assert.equal(left, 0);
    }
    fs.rmSync(file);
    if (name !== 'checksums.json') refuses(() => restore(folder), new RegExp(name), /no such file/);
    fs.writeFileSync(file, whole);
  }
  refuses(() => restore(path.join(folder, 'gone')), /gone/, /checkpoint_last|--restart/);
});

test('a state.json of another kind, another version, or incomplete', async () => {
  const folder = await savedCheckpoint();
  fs.rmSync(path.join(folder, 'checksums.json'));
  const file = path.join(folder, 'state.json');
  const whole = JSON.parse(fs.readFileSync(file, 'utf8'));
  const cases: [change: object, pattern: RegExp][] = [
    [{ format: 'other' }, /expected a state\.json/],
    [{ version: 99 }, /version 2 or before, found version 99/],
    [{ origin: null }, /incomplete/],
    [{ origin: { ...ORIGIN, settings: undefined } }, /incomplete/],
    [{ version: undefined }, /incomplete/],
    [{ state: { ...STATE, optimizerAhead: 0.5 } }, /incomplete/],
    [{ lr: 'much' }, /incomplete/],
    [{ state: { ...STATE, updates: -1 } }, /incomplete/],
    [{ state: { ...STATE, epoch: 1.5 } }, /incomplete/],
    [{ state: { ...STATE, bests: [{ loss: 'low' }] } }, /incomplete/],
  ];
  for (const [change, pattern] of cases) {
    fs.writeFileSync(file, JSON.stringify({ ...whole, ...change }));
    refuses(() => restore(folder), /state\.json/, pattern);
  }
  fs.writeFileSync(file, 'null');
  refuses(() => restore(folder), /state\.json/);
});

test('moments of another model are refused', async () => {
  const folder = await savedCheckpoint();
  fs.rmSync(path.join(folder, 'checksums.json'));
  const optimizer = path.join(folder, 'optimizer.safetensors');
  fs.copyFileSync(path.join(folder, 'model.safetensors'), optimizer);
  refuses(() => restore(folder), /optimizer\.safetensors/, /exp_avg\./, /found none/);
});

test('writing takes the place of an older checkpoint, and a failure leaves it', async () => {
  const folder = await savedCheckpoint();
  const model = Transformer.create(tinyModelConfig(), VOCABULARY, 6);
  const moments = someMoments(model);
  const content = { model, moments, origin: ORIGIN, lr: 0.5, state: STATE };
  await writeCheckpoint(folder, content);
  assert.equal(JSON.parse(fs.readFileSync(path.join(folder, 'state.json'), 'utf8')).lr, 0.5);
  const file = path.join(path.dirname(folder), 'file');
  fs.writeFileSync(file, '');
  await assert.rejects(writeCheckpoint(path.join(file, 'checkpoint_1_1'), content), UserError);
  assert.deepEqual(fs.readdirSync(path.dirname(folder)).sort(), ['checkpoint_3_17', 'file']);
  dispose(model, moments);
});

test('a bit that changed anywhere is found, and told from a checkpoint of other settings', async () => {
  const folder = await savedCheckpoint();
  for (const name of ['model.safetensors', 'optimizer.safetensors', 'state.json', 'checksums.json']) {
    const file = path.join(folder, name);
    const whole = fs.readFileSync(file);
    const torn = Buffer.from(whole);
    torn[whole.length - 20] ^= 1;
    fs.writeFileSync(file, torn);
    assert.throws(() => restore(folder), DamageError, name);
    fs.writeFileSync(file, whole);
  }
  assert.throws(
    () => restore(folder, {}, { ...ORIGIN, dataHash: 'd1' }),
    (error) => error instanceof UserError && !(error instanceof DamageError),
  );
});

test('a checkpoint of before there were checksums is read as it is', async () => {
  const folder = await savedCheckpoint();
  fs.rmSync(path.join(folder, 'checksums.json'));
  const { model, moments, state } = restore(folder);
  assert.deepEqual(state, STATE);
  dispose(model, moments);
});
