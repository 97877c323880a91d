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
import { farthest } from '../../model/random-model.js';
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
    // All but rounding is ε of layer normalisation, which is 1e-5 here.
    const same = marianLogProbs(arrays, SMALL, SOURCE, TARGET, { ...reference, epsilon: 1e-5 });
    for (const restricted of [false, true]) {
      const found = await stepwise(model, restricted);
      const own = found.map((row) => row.subarray(2));
      assert.ok(farthest([own], [expected]) < 2e-5, `they differ by ${farthest([own], [expected])}`);
      assert.ok(farthest([own], [same]) < 2e-6, `with one ε they differ by ${farthest([own], [same])}`);
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

/** A file of a zip, in front of its bytes (local) or in the directory. */
function zipHeader(name: string, bytes: number, place?: number): Buffer {
  const header = Buffer.alloc(place === undefined ? 30 : 46);
  header.writeUInt32LE(place === undefined ? 0x04034b50 : 0x02014b50);
  const common = place === undefined ? 4 : 6;
  header.writeUInt32LE(bytes, common + 14);
  header.writeUInt32LE(bytes, common + 18);
  header.writeUInt16LE(name.length, common + 22);
  if (place !== undefined) header.writeUInt32LE(place, 42);
  return Buffer.concat([header, Buffer.from(name)]);
}

test('an archive whose files lie over one another is refused', async () => {
  // The header of each file lies in the bytes of the one before it, and all end with the same 4 KiB.
  const payload = npy('<f4', [1000], new Uint8Array(4000));
  const names = Array.from({ length: 20 }, (_, i) => `Wemb${i}.npy`);
  let nested = Buffer.from(payload);
  const sizes = new Map<string, number>();
  for (const name of [...names].reverse()) {
    sizes.set(name, nested.length);
    nested = Buffer.concat([zipHeader(name, nested.length), nested]);
  }
  let place = 0;
  const directory = Buffer.concat(
    names.map((name) => {
      const header = zipHeader(name, sizes.get(name)!, place);
      place += zipHeader(name, 0).length;
      return header;
    }),
  );
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50);
  for (const at of [8, 10]) end.writeUInt16LE(names.length, at);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(nested.length, 16);
  const model = path.join(folder, 'nested.npz');
  fs.writeFileSync(model, Buffer.concat([nested, directory, end]));
  const output = path.join(folder, 'nested-run');
  await assert.rejects(
    importMarian(model, { output, vocabs: ['none.yml'], sourceLang: 'de', targetLang: 'en' }),
    (error) => error instanceof UserError && /its files lie over one another/.test(error.message),
  );
  assert.ok(!fs.existsSync(output));
});

test('an archive that is compressed, or cut short, is refused', async () => {
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
