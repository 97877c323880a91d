import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { after, before, test } from 'node:test';
import {
  type MarianArrays,
  marianArrays,
  marianFiles,
  marianOptions,
  npy,
  npyWith,
  SMALL,
  writeMarianModel,
} from '../../../scripts/marian-model.js';
import { initBackend } from '../../../src/backend/init.js';
import { UserError } from '../../../src/common/errors.js';
import { log } from '../../../src/common/log.js';
import { loadRunConfig } from '../../../src/config/load.js';
import { packBatch } from '../../../src/data/batch.js';
import { EOS } from '../../../src/data/dictionary.js';
import { locateCheckpoint } from '../../../src/decode/checkpoint-location.js';
import { loadCodec, loadModel } from '../../../src/decode/load-model.js';
import { writeZip } from '../../../src/formats/zip.js';
import { IncrementalDecoder } from '../../../src/model/incremental.js';
import { lossGradients } from '../../../src/model/loss-gradients.js';
import type { Transformer } from '../../../src/model/transformer.js';
import { tf } from '../../../src/ops/tf.js';
import { importMarian } from '../../../src/workflows/exchange/import-marian.js';
import { marianLogProbs, type ReferenceOptions } from './marian-reference.js';

const folder = fs.mkdtempSync(path.join(tmpdir(), 'admin-nmt-marian-'));
after(() => fs.rmSync(folder, { recursive: true, force: true }));
before(async () => {
  log.setQuiet(true);
  await initBackend('auto');
});

/** Marian's ids, ending in `</s>`. */
const SOURCE = [5, 9, 2, 7, 3, 0];
const TARGET = [4, 13, 8, 6, 0];

function pseudoRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return ((state >>> 8) / 2 ** 24 - 0.5) * 0.8;
  };
}

async function imported(name: string, arrays: MarianArrays, options: string): Promise<string> {
  const from = path.join(folder, name);
  writeMarianModel(from, options, arrays, SMALL.vocabulary);
  const output = path.join(folder, `${name}-run`);
  const vocabs = [path.join(from, 'vocab.yml')];
  await importMarian(path.join(from, 'model.npz'), { output, vocabs, sourceLang: 'de', targetLang: 'en' });
  return output;
}

function load(run: string): Transformer {
  const { config } = loadRunConfig(run);
  return loadModel(locateCheckpoint(run), config, loadCodec(run, config.data).vocabulary);
}

const ours = (ids: readonly number[]): Int32Array => Int32Array.from(ids, (id) => id + 2);

/** Log-probabilities of all that may follow, word by word, by our ids. */
async function stepwise(model: Transformer, restricted: boolean): Promise<Float32Array[]> {
  const all = Int32Array.from({ length: model.vocabulary.target }, (_, id) => id);
  const decoder = new IncrementalDecoder(model, 'float32', restricted ? () => all : undefined);
  const state = decoder.start();
  state.add({ tokens: ours(SOURCE), offsets: Int32Array.of(0, SOURCE.length) });
  const rows: Float32Array[] = [];
  for (const token of [EOS, ...ours(TARGET.slice(0, -1))]) {
    const { ids, logProbs } = await state.step(Int32Array.of(token), all.length, []);
    const row = new Float32Array(all.length);
    ids.forEach((id, i) => {
      row[id] = logProbs[i];
    });
    rows.push(row);
  }
  state.dispose();
  decoder.dispose();
  return rows;
}

const CASES: readonly [name: string, options: Record<string, unknown>, reference: ReferenceOptions][] = [
  ['tied', {}, {}],
  ['relu', { 'transformer-ffn-activation': 'relu' }, { activation: 'relu' }],
  ['decoder', { 'tied-embeddings-all': false, 'tied-embeddings': true }, { tied: 'decoder' }],
  ['none', { 'tied-embeddings-all': false }, { tied: 'none' }],
];

for (const [name, options, reference] of CASES) {
  test(`an imported model gives the log-probabilities of Marian's formulas: ${name}`, async () => {
    const arrays = marianArrays(SMALL, pseudoRandom(7), reference.tied);
    const model = load(await imported(name, arrays, marianOptions(SMALL, options)));
    const expected = marianLogProbs(arrays, SMALL, SOURCE, TARGET, reference);
    for (const restricted of [false, true]) {
      const found = await stepwise(model, restricted);
      let apart = 0;
      expected.forEach((row, i) => {
        row.forEach((value, id) => {
          apart = Math.max(apart, Math.abs(value - found[i][id + 2]));
        });
      });
      assert.ok(apart < 2e-5, `they differ by ${apart}`);
      assert.ok(
        found.every((row) => row[0] < -50 && row[1] < -50),
        '<s> and <pad> are never written',
      );
    }
    const pairs = [{ source: ours(SOURCE), target: ours(TARGET) }];
    const { loss, nll } = model.loss(packBatch([0], pairs, EOS), 0, { training: null });
    const sum = -TARGET.reduce((total, id, i) => total + expected[i][id], 0);
    assert.ok(Math.abs(nll.dataSync()[0] - sum) < 1e-4);
    tf.dispose([loss, nll]);
    model.dispose();
  });
}

test('gradients of an imported model, bias and swish among them, are those of central differences', async () => {
  const arrays = marianArrays(SMALL, pseudoRandom(3));
  const model = load(await imported('gradients', arrays, marianOptions(SMALL)));
  const pairs = [{ source: ours(SOURCE), target: ours(TARGET) }];
  const batch = packBatch([0], pairs, EOS);
  const parameters = model.trainable;
  const { loss, nll, gradients } = lossGradients(model, parameters, batch, 0.1, { seed: 1, step: 0 });
  for (const name of ['decoder.output_bias', 'encoder.layers.0.fc1.weight', 'decoder.layers.1.fc1.bias']) {
    const place = parameters.indexOf(model.weights.get(name)!);
    const found = gradients[place].dataSync()[5];
    const at = (by: number): number => {
      const variable = model.weights.get(name)!;
      const before = variable.dataSync().slice();
      const moved = before.slice();
      moved[5] += by;
      variable.assign(tf.tensor(moved, variable.shape));
      const losses = model.loss(batch, 0.1, { training: { seed: 1, step: 0 } });
      const [value] = losses.loss.dataSync();
      tf.dispose([losses.loss, losses.nll]);
      variable.assign(tf.tensor(before, variable.shape));
      return value;
    };
    const slope = (at(0.02) - at(-0.02)) / 0.04;
    assert.ok(Math.abs(slope - found) < 2e-3 * Math.max(1, Math.abs(slope)), `${name}: ${found}, ${slope}`);
  }
  tf.dispose([loss, nll, ...gradients]);
  model.dispose();
});

test('the symbols of the vocabulary keep their text', async () => {
  const run = await imported('symbols', marianArrays(SMALL, pseudoRandom(1)), marianOptions(SMALL));
  const lines = fs.readFileSync(path.join(run, 'dict.en.txt'), 'utf8').split('\n');
  assert.deepEqual(lines.slice(0, 9), ['▁a 1', '" 1', '\\ 1', "' 1", ':  1', '# 1', '1 1', 'é 1', '😀 1']);
});

async function refuses(files: Map<string, Uint8Array>, pattern: RegExp): Promise<void> {
  const from = path.join(folder, 'refused');
  const output = path.join(folder, 'refused-run');
  writeMarianModel(from, '', new Map(), SMALL.vocabulary);
  const model = path.join(from, 'model.npz');
  writeZip(model, files);
  await assert.rejects(
    importMarian(model, {
      output,
      vocabs: [path.join(from, 'vocab.yml')],
      sourceLang: 'de',
      targetLang: 'en',
    }),
    (error) => {
      assert.ok(error instanceof UserError, String((error as Error).stack));
      assert.match(error.message, pattern);
      return true;
    },
  );
  assert.ok(!fs.existsSync(output), 'something is left');
}

const files = (changes: Record<string, unknown> = {}) =>
  marianFiles(marianOptions(SMALL, changes), marianArrays(SMALL, pseudoRandom(7)));

test('an architecture without a form here is refused, with each option and both values', async () => {
  const other = { 'transformer-preprocess': 'n', 'transformer-decoder-autoreg': 'average-attention' };
  await refuses(files(other), /expected transformer-preprocess "", found "n"/);
  await refuses(files(other), /autoreg "self-attention", found "average-attention"/);
  await refuses(files({ type: 'amun' }), /expected type "transformer", found "amun"/);
  await refuses(files({ 'dim-emb': 16 }), /expected 'encoder_l1_self_Wq' of shape \[16,16\], found \[8,8\]/);
  await refuses(files({ 'enc-depth': 3 }), /expected a tensor 'encoder_l3_self_Wq' .*, found none/);
  await refuses(files({ 'dec-depth': 1 }), /found a tensor 'decoder_l2_.*' that this model does not have/);
  await refuses(files({ 'enc-depth': 99999 }), /model\.encoder\.layers: expected .* at most 10000/);
});

test('an archive that is made to harm is refused', async () => {
  const data = new Uint8Array(4 * 8);
  const change = (name: string, bytes: Uint8Array) => files().set(name, bytes);
  await refuses(change('../../etc/passwd.npy', npy('<f4', [8], data)), /it has a file "\.\.\/\.\.\/etc/);
  await refuses(change('Wemb.npy', npy('|O', [8], data)), /objects of Python, a pickle/);
  await refuses(change('Wemb.npy', npy('<f4', [2 ** 31, 2 ** 31], data)), /takes \d+ bytes, found 32/);
  await refuses(
    change('Wemb.npy', npy('<f4', [1, 8], data)),
    /expected a vocabulary of 1 symbols, as the model/,
  );
  await refuses(change('Wemb.npy', npyWith('x'.repeat(20_000), data)), /header of 'Wemb' claims \d+ bytes/);
  await refuses(change('Wemb.npy', npyWith('{}', data, 65_000)), /header of 'Wemb' claims 65000 bytes/);
  await refuses(
    change('Wemb.npy', npyWith("__import__('os').system('x')", data)),
    /header of 'Wemb' is "__imp/,
  );
  await refuses(change('Wemb.npy', Buffer.from('PK')), /'Wemb' is no \.npy/);
  await refuses(
    change('encoder_l1_ffn_b1.npy', npy('<f4', [1, 12], new Uint8Array(48).fill(255))),
    /found NaN/,
  );
  await refuses(
    change('special:model.yml.npy', npy('|i1', [9], Buffer.from('a: &b [*b]'.slice(0, 9)))),
    /options/,
  );
  const bomb = files();
  bomb.delete('special:model.yml.npy');
  await refuses(bomb, /found none/);
});

test('an archive whose files share their bytes, or that is compressed, is refused', async () => {
  const from = path.join(folder, 'patched');
  writeMarianModel(from, marianOptions(SMALL), marianArrays(SMALL, pseudoRandom(7)), SMALL.vocabulary);
  const model = path.join(from, 'model.npz');
  const whole = fs.readFileSync(model);
  const attempt = (bytes: Buffer, pattern: RegExp) => {
    fs.writeFileSync(model, bytes);
    const output = path.join(folder, 'patched-run');
    const options = { output, vocabs: [path.join(from, 'vocab.yml')], sourceLang: 'de', targetLang: 'en' };
    return assert.rejects(importMarian(model, options), pattern);
  };
  const compressed = Buffer.from(whole);
  for (let at = whole.indexOf('PK\x01\x02'); at !== -1; at = whole.indexOf('PK\x01\x02', at + 1))
    compressed.writeUInt16LE(8, at + 10);
  await attempt(compressed, /is compressed/);
  await attempt(whole.subarray(0, whole.length / 2), /the directory at the end of the archive is missing/);
});
