import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { loadAddon } from '../../src/backend/native/binding.js';
import { writeToyCorpus } from '../../src/data/toy-language.js';
import { done, refused } from './outcomes.js';
import { type Outcome, runProgram } from './run-program.js';

const folder = fs.mkdtempSync(path.join(tmpdir(), 'admin-nmt-precision-'));
after(() => fs.rmSync(folder, { recursive: true, force: true }));

const CONFIG = {
  backend: 'native',
  preset: 'tiny',
  data: { 'source-lang': 'toa', 'target-lang': 'tob', train: 'train', valid: 'valid', destdir: 'data-bin' },
  model: {
    'embed-dim': 64,
    'ffn-embed-dim': 128,
    'attention-heads': 2,
    encoder: { layers: 1 },
    decoder: { layers: 1 },
  },
  train: { 'save-dir': 'run', 'max-update': 2 },
  decode: { beam: 2, 'max-len-a': 0, 'max-len-b': 4 },
};

const at = (...names: string[]) => path.join(folder, ...names);
const run = (...args: string[]): Outcome => runProgram(args, { cwd: folder });

/** Translations of the validation text, with scores. */
const translate = (name: string, ...flags: string[]): Outcome =>
  run('translate', name, '--input', 'valid.toa', '--format', 'nbest', ...flags);

const MODEL = ['checkpoint_exported', 'model.safetensors'] as const;

/** Writes the header of a safetensors file anew, as long as it was. */
function alterHeader(file: string, alter: (text: string) => string): void {
  const bytes = fs.readFileSync(file);
  const length = Number(bytes.readBigUInt64LE());
  const text = alter(bytes.toString('utf8', 8, 8 + length));
  assert.equal(Buffer.byteLength(text), length);
  bytes.write(text, 8, 'utf8');
  fs.writeFileSync(file, bytes);
}

/** A copy of the int8 model with other bytes and no checksums. */
function damaged(name: string, damage: (file: string) => void): string {
  fs.cpSync(at('int8'), at(name), { recursive: true, verbatimSymlinks: true });
  fs.rmSync(at(name, 'checkpoint_exported', 'checksums.json'));
  damage(at(name, ...MODEL));
  return name;
}

/** Where the scales of the first matrix of int8 lie in a file. */
function scalesAt(file: string): number {
  const bytes = fs.readFileSync(file);
  const length = Number(bytes.readBigUInt64LE());
  const header = JSON.parse(bytes.toString('utf8', 8, 8 + length));
  const [, { data_offsets: offsets }] = Object.entries<{ data_offsets: number[] }>(header).find(([key]) =>
    key.endsWith('_scale'),
  )!;
  return 8 + length + offsets[0];
}

describe('translating in fewer bits', { skip: !nativeThere() && 'the native engine is not built' }, () => {
  before(() => {
    writeToyCorpus(folder, { pairs: 600, valid: 12, test: 1 });
    fs.writeFileSync(at('config.yaml'), JSON.stringify(CONFIG));
    done(run('train', 'config.yaml'));
    for (const precision of ['int8', 'bfloat16'])
      done(run('export', 'run', '--precision', precision, '-o', precision));
  });

  for (const precision of ['int8', 'bfloat16']) {
    test(`${precision}: what is exported translates as the run does in that precision, and is whole`, () => {
      const { stdout, stderr } = done(translate('run', '--precision', precision));
      assert.match(stderr, new RegExp(`^Precision: ${precision} \\(`, 'm'));
      assert.notEqual(stdout, done(translate('run')).stdout);
      assert.equal(done(translate(precision)).stdout, stdout);
      assert.equal(done(translate(precision, '--threads', '1', '--batch-size', '1')).stdout, stdout);
      const { stdout: report } = done(run('check', precision));
      assert.match(report, /tensors, \d+ finite numbers/);
    });
  }

  test('the files are about a quarter and half as large', () => {
    const size = (...names: string[]) => fs.statSync(at(...names)).size;
    const whole = size('run', 'checkpoint_last', 'model.safetensors');
    assert.ok(size('int8', ...MODEL) < 0.34 * whole); // of so small a model vectors and the header are much
    assert.ok(size('bfloat16', ...MODEL) < 0.56 * whole);
  });

  test('another backend computes them in float32 alone', () => {
    refused(
      translate('int8', '--backend', 'cpu'),
      /decode\.precision: int8 needs the native backend, which alone computes in it; found cpu/,
    );
    done(translate('int8', '--backend', 'cpu', '--precision', 'float32'));
  });

  test('a training that translates its validation text says so first, and is refused where that cannot be', () => {
    const train = (...flags: string[]) =>
      run('train', 'config.yaml', '--eval-bleu', '--set', 'decode.precision=int8', ...flags);
    const { stderr } = done(train('--save-dir', 'scored'));
    assert.match(stderr, /^Precision of translations: int8 \(/m);
    refused(
      train('--save-dir', 'scored-on-cpu', '--backend', 'cpu'),
      /decode\.precision: int8 needs the native backend, which alone computes in it; found cpu/,
    );
    assert.equal(fs.existsSync(at('scored-on-cpu')), false);
  });

  test('what trains, or makes other models of it, refuses a model in fewer bits', () => {
    const pattern =
      /is of type "I8", as in a model for translating alone \(export --precision\), expected "F32"/;
    refused(run('export', 'int8', '-f', 'safetensors', '-o', 'out'), pattern);
    refused(run('export', 'int8', '--precision', 'bfloat16', '-o', 'out'), pattern);
    const tuned = run('train', 'config.yaml', '--save-dir', 'tuned', '--init-from', 'int8');
    refused(tuned, /found a model for translating alone \(export --precision\)/);
    refused(
      run('train', 'config.yaml', '--save-dir', 'int8'),
      /found a config\.yaml that train did not write/,
    );
    refused(
      run('average', 'int8', '--inputs', 'checkpoint_exported'),
      /found a model for translating alone \(export --precision\)/,
    );
    assert.equal(fs.existsSync(at('out')), false);
  });

  test('export wants a format or a precision', () => {
    refused(run('export', 'run', '-o', 'out'), /expected --format or --precision, found neither/);
    const both = run('export', 'run', '-f', 'fairseq', '--precision', 'int8', '-o', 'out');
    refused(both, /found both/);
  });

  test('damaged scales are told by translate and check', () => {
    for (const value of [Number.NaN, -1, 0]) {
      const name = damaged(`scale${value}`, (file) => {
        const bytes = fs.readFileSync(file);
        bytes.writeFloatLE(value, scalesAt(file));
        fs.writeFileSync(file, bytes);
      });
      const pattern = new RegExp(`_scale' to be finite and above 0, found ${value} \\(value 0\\)`);
      refused(translate(name), pattern);
      const { status, stdout } = run('check', name);
      assert.equal(status, 2);
      assert.match(stdout, pattern);
    }
    const missing = damaged('missing', (file) =>
      alterHeader(file, (text) => text.replace('_scale"', '_scalf"')),
    );
    refused(translate(missing), /expected scales of the int8 matrix '.*' in '.*_scale', found none/);
    const cut = damaged('cut', (file) => fs.truncateSync(file, fs.statSync(file).size - 5));
    refused(translate(cut), /model\.safetensors: expected a safetensors file/);
    const { status } = run('check', cut);
    assert.equal(status, 2);
  });
});

function nativeThere(): boolean {
  try {
    loadAddon();
    return true;
  } catch {
    return false;
  }
}
