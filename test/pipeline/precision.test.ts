import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { describe, test } from 'node:test';
import { loadAddon } from '../../src/backend/native/binding.js';
import { packageRoot } from '../../src/common/files.js';
import { readSafetensors } from '../../src/formats/safetensors.js';
import { type Outcome, runProgram, spawnProgram } from '../cli/run-program.js';
import { availableBackends } from '../ops/backends.js';
import { scratchFolder } from './program.js';

/** A little data-bin of six pairs, made by the official code. */
const DATA = path.join(packageRoot(), 'test', 'data', 'fixtures', 'joint');
const SIZES = ['embed-dim=16', 'ffn-embed-dim=24', 'attention-heads=2', 'max-positions=64'];
const MODEL = [...SIZES, 'encoder.layers=1', 'decoder.layers=1', 'share-embeddings=all'];
const CONFIG = [
  ...['-s', 'it', '-t', 'en', '--destdir', DATA, '--set', 'data.prepared=true', '--max-update', '4'],
  ...['--threads', '1', '--optimizer', 'adam', '--lr', '0.01', '--warmup-updates', '0'],
  ...[...MODEL.map((pair) => `model.${pair}`)].flatMap((pair) => ['--set', pair]),
];
const folder = scratchFolder('precision');

const succeeds = ({ status, stdout, stderr }: Outcome): string => {
  assert.equal(status, 0, stderr);
  return stderr + stdout;
};
const weightsOf = (run: string): Buffer =>
  fs.readFileSync(path.join(folder, run, 'checkpoint_last', 'model.safetensors'));

for (const backend of ['wasm', 'cpu']) {
  test(`${backend}: refused by its name before anything is written, also a dry run`, () => {
    const cwd = path.join(folder, backend);
    fs.mkdirSync(cwd);
    for (const more of [[], ['--dry-run']]) {
      const { status, stdout, stderr } = runProgram(
        ['train', ...CONFIG, '--bf16', '--backend', backend, ...more],
        {
          cwd,
        },
      );
      assert.equal(status, 2, stderr);
      assert.equal(stdout, '');
      assert.match(
        stderr,
        new RegExp(`error: train\\.precision: bfloat16 needs the native backend, .* found ${backend}\\n`),
      );
      assert.match(stderr, /Set train\.precision to float32, or use --backend native\./);
      assert.deepEqual(fs.readdirSync(cwd), []);
    }
  });
}

describe('a training in bfloat16', {
  skip: !availableBackends.includes('native') && 'the native engine is not built',
}, () => {
  const train = (run: string, ...flags: string[]): string =>
    succeeds(runProgram(['train', ...CONFIG, '--save-dir', run, ...flags], { cwd: folder }));

  test('says so, is recorded, and is another one than in float32', () => {
    assert.match(train('run', '--bf16', '--ema-decay', '0.9'), /^Precision: bfloat16 \(\w+: .+\)$/m);
    assert.match(
      fs.readFileSync(path.join(folder, 'run', 'config.yaml'), 'utf8'),
      /^ {2}precision: bfloat16$/m,
    );
    assert.doesNotMatch(train('exact'), /Precision/);
    assert.ok(!weightsOf('run').equals(weightsOf('exact')));
  });

  test('has files of float32, which every command and backend reads', () => {
    for (const file of ['model', 'ema', 'optimizer'].map(
      (name) => `run/checkpoint_last/${name}.safetensors`,
    )) {
      const bytes = fs.readFileSync(path.join(folder, file));
      const header = JSON.parse(bytes.toString('utf8', 8, 8 + Number(bytes.readBigUInt64LE())));
      delete header.__metadata__;
      const types = Object.values(header as Record<string, { dtype: string }>).map(({ dtype }) => dtype);
      assert.deepEqual([...new Set(types)], ['F32'], file);
    }
    succeeds(runProgram(['check', 'run'], { cwd: folder }));
    for (const weights of ['live', 'ema'])
      succeeds(
        runProgram(['translate', 'run', '--backend', 'wasm', '--weights', weights], {
          cwd: folder,
          input: 'a\n',
        }),
      );
    succeeds(runProgram(['fold', 'run', '-o', 'folded'], { cwd: folder }));
    succeeds(runProgram(['export', 'run', '--format', 'safetensors', '-o', 'exported'], { cwd: folder }));
    const [own, exported] = ['run/checkpoint_last', 'exported'].map(
      (place) => readSafetensors(path.join(folder, place, 'model.safetensors')).tensors,
    );
    assert.deepEqual([...exported.keys()].sort(), [...own.keys()].sort());
    for (const [name, { data }] of exported) assert.deepEqual(data, own.get(name)!.data, name);
  });

  test('goes on in float32 where that is asked for, and says so', () => {
    const said = train('run', '--ema-decay', '0.9', '--max-update', '5');
    assert.match(said, /train\.precision was "bfloat16", from here on it is "float32"/);
  });

  test('comes to the same bits with the instruction and without it', {
    skip: !loadAddon().isas.includes('avx512bf16') && 'this processor has no VDPBF16PS',
  }, () => {
    const said = ['avx512bf16', 'avx512'].map((isa) =>
      succeeds(
        spawnProgram(['train', ...CONFIG, '--bf16', '--save-dir', isa], {
          cwd: folder,
          env: { ADMIN_NMT_ISA: isa },
        }),
      ),
    );
    assert.match(said[0], /^Precision: bfloat16 \(avx512bf16: VDPBF16PS\)$/m);
    assert.match(said[1], /^Precision: bfloat16 \(avx512: .*float32 is at least as fast here\)$/m);
    assert.ok(weightsOf('avx512bf16').equals(weightsOf('avx512')));
  });
});
