import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import process from 'node:process';
import { after, before, test } from 'node:test';
import { packageRoot } from '../../src/common/files.js';
import { readSafetensors, writeSafetensors } from '../../src/formats/safetensors.js';
import { marianMtLogProbs } from '../model/marian-mt-reference.js';
import { loadOnnxRuntime, WITHOUT_RUNTIME } from '../model/onnx-runtime.js';
import { type Outcome, runProgram } from './run-program.js';

/** A little data-bin of six pairs, made by the official code. */
const DATA_BIN = path.join(packageRoot(), 'test/data/fixtures/joint');

const folder = fs.mkdtempSync(path.join(tmpdir(), 'admin-nmt-export-'));
after(() => fs.rmSync(folder, { recursive: true, force: true }));

const CONFIG = {
  data: { 'source-lang': 'en', 'target-lang': 'it', destdir: DATA_BIN, prepared: true },
  model: {
    residual: 'admin',
    'embed-dim': 16,
    'ffn-embed-dim': 24,
    'attention-heads': 2,
    encoder: { layers: 1 },
    decoder: { layers: 1 },
    'max-positions': 16,
  },
  train: { 'save-dir': 'run', 'max-update': 1 },
};

const TEXT = `${fs.readFileSync(path.join(DATA_BIN, '../train.en'), 'utf8').trim()}\n`;
const run = (...args: string[]): Outcome => runProgram(args, { cwd: folder, input: TEXT });
const at = (...names: string[]) => path.join(folder, ...names);

const json = (...names: string[]) => JSON.parse(fs.readFileSync(at(...names), 'utf8'));

function refused({ status, stderr }: Outcome, pattern: RegExp): void {
  assert.equal(status, 2, stderr);
  assert.match(stderr, pattern);
}

function done({ status, stdout, stderr }: Outcome): string {
  assert.equal(status, 0, stderr);
  return stdout || stderr;
}

before(() => {
  fs.writeFileSync(at('config.yaml'), JSON.stringify(CONFIG));
  done(run('train', 'config.yaml'));
  shuffle(at('run', fs.readlinkSync(at('run', 'checkpoint_best'))));
});

/** Gives a checkpoint weights at random, so that each sentence gets a translation of its own. */
function shuffle(checkpoint: string): void {
  fs.rmSync(path.join(checkpoint, 'checksums.json'));
  const file = path.join(checkpoint, 'model.safetensors');
  const { tensors } = readSafetensors(file);
  let state = 5;
  for (const [name, { data }] of tensors) {
    const around = /norm\.weight|ratio_change/.test(name) ? 1 : 0;
    data.forEach((_, i) => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      data[i] = around + (state >>> 8) / 2 ** 24 - 0.5;
    });
  }
  writeSafetensors(file, tensors);
}

const runtime = await loadOnnxRuntime();
const skip = runtime === undefined ? WITHOUT_RUNTIME : false;

test('export to ONNX: docs/onnx-translate.mjs translates as we do', { skip }, () => {
  assert.match(done(run('export', 'run', '-f', 'onnx', '-o', 'onnx')), /ω is folded/);
  const program = path.join(packageRoot(), 'docs/onnx-translate.mjs');
  const found = execFileSync(process.execPath, [program, at('onnx')], { encoding: 'utf8', input: TEXT });
  const lines = found.split('\n');
  assert.ok(new Set(lines).size > 3, 'translations are of one kind');
  assert.equal(found, done(run('translate', 'run', '--beam', '1', '--quiet')));
});

test('export to transformers: MarianMTModel, by its formulas and files, gives our log-probabilities', () => {
  refused(run('export', 'run', '-f', 'transformers', '-o', 'hf'), /run with tokenizers, .* found none/);
  assert.ok(!fs.existsSync(at('hf')));
  const tokenizer = path.join(packageRoot(), 'test/tokenizer/fixtures/unigram.model');
  fs.cpSync(at('run'), at('spm'), { recursive: true, verbatimSymlinks: true });
  fs.copyFileSync(tokenizer, at('spm', 'tokenizer.model'));
  assert.match(done(run('export', 'spm', '-f', 'transformers', '-o', 'hf')), /ω is folded: MarianMTModel/);
  assert.deepEqual(fs.readdirSync(at('hf')).sort(), [
    'config.json',
    'generation_config.json',
    'model.safetensors',
    'source.spm',
    'target.spm',
    'tokenizer_config.json',
    'vocab.json',
  ]);
  for (const name of ['source.spm', 'target.spm'])
    assert.ok(fs.readFileSync(at('hf', name)).equals(fs.readFileSync(tokenizer)));
  const [config, ids] = [json('hf', 'config.json'), json('hf', 'vocab.json') as Record<string, number>];
  const last = config.vocab_size - 1;
  assert.deepEqual(
    ['</s>', '<unk>', '<s>', '<pad>'].map((symbol) => ids[symbol]),
    [0, 1, last - 1, last],
  );
  assert.deepEqual(
    Object.values(ids).sort((a, b) => a - b),
    [...Array(last + 1).keys()],
  );
  const { min_length, num_beams, bad_words_ids } = json('hf', 'generation_config.json');
  assert.deepEqual([min_length, num_beams, bad_words_ids], [2, 5, [[last - 1], [last]]]);
  const { tensors } = readSafetensors(at('hf', 'model.safetensors'));
  const idOf = (token: string): number => ids[token] ?? 1;
  const lines = done(run('translate', 'run', '-f', 'jsonl', '--quiet'))
    .trim()
    .split('\n');
  for (const { source, hypotheses } of lines.map((line) => JSON.parse(line))) {
    const [{ tokens, tokenLogProbs }] = hypotheses;
    const target = tokens.map(idOf);
    const found = marianMtLogProbs(config, tensors, [...source.split(' ').map(idOf), 0], target);
    target.forEach((id: number, k: number) => {
      assert.ok(Math.abs(found[k][id] - tokenLogProbs[k]) < 1e-5, `${found[k][id]} and ${tokenLogProbs[k]}`);
    });
  }
});
