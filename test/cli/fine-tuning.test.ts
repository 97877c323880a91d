import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { after, before, test } from 'node:test';
import { makeToyPairs } from '../../src/data/toy-language.js';
import { readSafetensors } from '../../src/formats/safetensors.js';
import type { TrainState } from '../../src/train/state.js';
import { type Outcome, runProgram } from './run-program.js';

const CONFIG = `
data: { source-lang: toa, target-lang: tob, train: train, valid: valid, destdir: data, tokenizer: { vocab-size: 120 } }
model: { residual: admin, embed-dim: 8, ffn-embed-dim: 8, attention-heads: 2,
         encoder: { layers: 1 }, decoder: { layers: 1 } }
train: { save-dir: run, max-tokens: 400, max-epoch: 9, max-update: 5, lr: 0.01, warmup-updates: 2, log-interval: 1,
         validate-interval-updates: 2 }
`;
const KEEP = ['--no-reset-optimizer', '--no-reset-scheduler', '--no-reset-best', '--no-reset-data'];

const folder = fs.mkdtempSync(path.join(tmpdir(), 'admin-nmt-fine-'));
after(() => fs.rmSync(folder, { recursive: true, force: true }));

function train(...flags: string[]): Outcome {
  return runProgram(['train', 'toy.yaml', ...flags], { cwd: folder });
}

function trains(...flags: string[]): string {
  const { status, stderr } = train(...flags);
  assert.equal(status, 0, stderr);
  return stderr;
}

function refuses(flags: string[], ...patterns: RegExp[]): void {
  const { status, stderr } = train(...flags);
  assert.equal(status, 2, stderr);
  for (const pattern of patterns) assert.match(stderr, pattern);
}

const at = (...names: string[]): string => path.join(folder, ...names);
const tensors = (checkpoint: string) => readSafetensors(at(checkpoint, 'model.safetensors')).tensors;
const stateOf = (checkpoint: string) => JSON.parse(fs.readFileSync(at(checkpoint, 'state.json'), 'utf8'));

/** Everything but what a clock measured. */
function metricsOf(run: string): unknown[] {
  const lines = fs.readFileSync(at(run, 'metrics.jsonl'), 'utf8').trimEnd().split('\n');
  return lines.map((line) => ({ ...JSON.parse(line), wall: 0, wps: 0, ups: 0 }));
}

before(() => {
  const all = makeToyPairs(150, 1);
  const write = (name: string, from: number, to: number): void => {
    for (const [suffix, side] of [
      ['toa', 'source'],
      ['tob', 'target'],
    ] as const) {
      fs.writeFileSync(
        at(`${name}.${suffix}`),
        all
          .slice(from, to)
          .map((pair) => `${pair[side]}\n`)
          .join(''),
      );
    }
  };
  write('train', 0, 90);
  write('valid', 90, 100);
  write('other', 100, 150);
  fs.writeFileSync(at('toy.yaml'), CONFIG);
  trains();
});

test('without any reset training goes on as if it were resumed: the same bits', () => {
  fs.cpSync(at('run'), at('resumed'), { recursive: true, verbatimSymlinks: true });
  trains('--save-dir', 'resumed', '--max-update', '9');
  trains('--save-dir', 'kept', '--max-update', '9', '--init-from', 'run/checkpoint_last', ...KEEP);
  for (const name of ['model.safetensors', 'optimizer.safetensors']) {
    const [kept, resumed] = ['kept', 'resumed'].map((run) =>
      fs.readFileSync(at(run, 'checkpoint_last', name)),
    );
    assert.ok(kept.equals(resumed), name);
  }
  const timeless = ({
    seconds: _,
    validatedSeconds: __,
    meter: { seconds: ___, ...meter },
    ...state
  }: TrainState) => ({
    ...state,
    meter,
  });
  const [kept, resumed] = ['kept', 'resumed'].map((run) => timeless(stateOf(`${run}/checkpoint_last`).state));
  assert.deepEqual(kept, resumed);
  assert.deepEqual(metricsOf('kept'), metricsOf('resumed').slice(-metricsOf('kept').length));
});

test('a run begins with a checkpoint of its start: weights alone, and what they were taken from', () => {
  trains('--save-dir', 'fresh', '--init-from', 'run');
  const start = stateOf('fresh/checkpoint_1_0');
  const { epoch, updates, position, bests, optimizerAhead } = start.state;
  assert.deepEqual([epoch, updates, position, bests, optimizerAhead], [1, 0, 0, [], 0]);
  assert.deepEqual(tensors('fresh/checkpoint_1_0'), tensors('run/checkpoint_best'));
  const { tensors: moments } = readSafetensors(at('fresh/checkpoint_1_0/optimizer.safetensors'));
  assert.ok([...moments.values()].every(({ data }) => data.every((value) => value === 0)));
  const { initFrom } = stateOf('fresh/checkpoint_last').origin;
  assert.equal(initFrom.path, fs.realpathSync(at('run/checkpoint_best')));
  assert.match(initFrom.sha256, /^[0-9a-f]{64}$/);
  trains('--save-dir', 'fresh', '--init-from', 'run', '--max-update', '6');
  assert.deepEqual(stateOf('fresh/checkpoint_last').origin.initFrom, initFrom, 'resuming keeps it');
});

test('each reset by itself', () => {
  const start = (name: string, ...resets: string[]) => {
    trains(
      '--save-dir',
      name,
      '--max-update',
      '7',
      '--keep-last',
      '0',
      '--init-from',
      'run/checkpoint_last',
      ...KEEP,
      ...resets,
    );
    const [first] = fs
      .readdirSync(at(name))
      .filter((entry) => /^checkpoint_\d/.test(entry))
      .sort();
    return { name: first, ...stateOf(path.join(name, first)).state };
  };
  const before = stateOf('run/checkpoint_last').state;
  const optimizer = start('reset-optimizer', '--reset-optimizer');
  assert.deepEqual([optimizer.updates, optimizer.optimizerAhead], [5, -5]);
  const scheduler = start('reset-scheduler', '--reset-scheduler');
  assert.deepEqual([scheduler.updates, scheduler.optimizerAhead, scheduler.epoch], [0, 5, before.epoch]);
  const best = start('reset-best', '--reset-best');
  assert.deepEqual([best.updates, best.bests, best.validationsSinceBest], [5, [], 0]);
  const data = start('reset-data', '--reset-data');
  assert.deepEqual([data.epoch, data.position, data.updates], [1, 0, 5]);
  assert.deepEqual(data.bests, before.bests);
});

test('other text: its vocabulary is that of the model, or it is refused', () => {
  const other = ['--trainpref', 'other', '--destdir', 'data-other', '--save-dir', 'other'];
  refuses(
    [...other, '--init-from', 'run'],
    /expected the toa dictionary of run, 128 symbols/,
    /tob dictionary/,
    /--vocabulary-from run/,
  );
  const fitting = [...other, '--vocabulary-from', 'run', '--init-from', 'run'];
  refuses(
    [...fitting, '--no-reset-data'],
    /training split [0-9a-f]{8}, found [0-9a-f]{8}/,
    /--no-reset-data/,
  );
  assert.doesNotMatch(trains(...fitting), /data\.clean/);
  for (const name of ['dict.toa.txt', 'dict.tob.txt', 'tokenizer.model'])
    assert.deepEqual(fs.readFileSync(at('data-other', name)), fs.readFileSync(at('run', name)), name);
  const again = runProgram(
    ['preprocess', 'toy.yaml', '--trainpref', 'other', '--destdir', 'data-other', '--vocabulary-from', 'run'],
    { cwd: folder },
  );
  assert.match(again.stderr, /is up to date/);
});

test('frozen weights keep their bits through training, resuming, averaging and check', () => {
  const frozen = ['--save-dir', 'frozen', '--freeze', 'encoder.*,*.fc1.*'];
  assert.match(trains(...frozen, '--init-from', 'run/checkpoint_last'), /parameters, \d+ of them trained/);
  trains(...frozen, '--max-update', '8');
  const [before, after] = ['run/checkpoint_last', 'frozen/checkpoint_last'].map(tensors);
  for (const [name, { data }] of before) {
    const same = data.every((value, i) => value === after.get(name)!.data[i]);
    assert.equal(same, /^encoder\.|\.fc1\./.test(name), name);
  }
  refuses(
    ['--save-dir', 'frozen', '--max-update', '9'],
    /train\.freeze \["encoder\.\*","\*\.fc1\.\*"\], found \[\]/,
  );
  refuses(
    ['--save-dir', 'frozen', '--max-update', '9', '--allow-change', 'train.freeze'],
    /optimizer\.safetensors: expected 'exp_avg\.encoder/,
  );
  const average = runProgram(['average', 'frozen', '--num-update-checkpoints', '2'], { cwd: folder });
  assert.equal(average.status, 0, average.stderr);
  const check = runProgram(['check', 'frozen'], { cwd: folder });
  assert.equal(check.status, 0, check.stdout);
  trains('--save-dir', 'thawed', '--init-from', 'frozen/checkpoint_average_2');
  refuses(['--save-dir', 'x', '--init-from', 'frozen/checkpoint_average_2', '--no-reset-best'], /an average/);
});

test('a deeper model grows from a shallower one; other shapes are refused, naming both', () => {
  const cleaned = ['--nfc', '--vocabulary-from', 'run', '--destdir', 'data-cleaned'];
  const deeper = ['--save-dir', 'deeper', '--encoder-layers', '3', '--init-from', 'run', ...cleaned];
  refuses(deeper, /has 1 \+ 1 layers of width 8, the config asks for 3 \+ 1 layers/, /--grow/);
  assert.match(
    trains(...deeper, '--grow', 'stack'),
    /run was trained with nfc: false, whitespace: false, this run has nfc: true, whitespace: false/,
  );
  const name = 'encoder.layers.0.fc1.weight';
  const start = tensors('deeper/checkpoint_1_0');
  assert.deepEqual(start.get(name.replace('0', '2')), start.get(name));
  assert.ok(start.get('encoder.layers.1.attention_ratio_change')!.data.every((omega) => omega > 1));
  refuses(['--save-dir', 'x', '--init-from', 'deeper'], /3 \+ 1 layers/, /1 \+ 1 layers/, /do not shrink/);
  refuses(
    ['--save-dir', 'x', '--init-from', 'run', '--ffn-embed-dim', '16', '--attention-heads', '4'],
    /ffn-embed-dim 8.*found 16/,
    /attention-heads 2.*found 4/,
  );
  refuses([...deeper, '--grow', 'top', '--no-reset-optimizer'], /needs train\.reset-optimizer/);
  refuses(['--save-dir', 'x', '--grow', 'top'], /needs train\.init-from/);
});

test('a damaged source is refused, and so is one that would be overwritten', () => {
  fs.cpSync(at('run'), at('damaged'), { recursive: true, verbatimSymlinks: true });
  const file = at('damaged/checkpoint_last/model.safetensors');
  const bytes = fs.readFileSync(file);
  bytes[bytes.length - 1] ^= 1;
  fs.writeFileSync(file, bytes);
  refuses(
    ['--save-dir', 'x', '--init-from', 'damaged/checkpoint_last'],
    /model\.safetensors: the file is not as it was written/,
  );
  refuses(['--save-dir', 'x', '--init-from', 'nowhere'], /nowhere: no such run directory/);
  refuses(['--init-from', 'run', '--restart'], /which would be overwritten/);
  assert.ok(fs.existsSync(at('run/checkpoint_last')));
});

test('a dry run tries the model that would be trained, and writes nothing', () => {
  const { status, stdout, stderr } = train('--save-dir', 'dry', '--init-from', 'run', '--dry-run');
  assert.equal(status, 0, stderr);
  assert.match(stdout, /^Epoch/m);
  assert.ok(!fs.existsSync(at('dry')));
});
