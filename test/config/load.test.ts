import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import process from 'node:process';
import { after, describe, test } from 'node:test';
import { UserError } from '../../src/common/errors.js';
import { type ConfigSources, loadConfig, loadRunConfig } from '../../src/config/load.js';
import { configSchema } from '../../src/config/schema.js';

const folder = mkdtempSync(path.join(tmpdir(), 'admin-nmt-config-'));
after(() => rmSync(folder, { recursive: true }));
function file(name: string, content: string): string {
  writeFileSync(path.join(folder, name), content);
  return path.join(folder, name);
}

/** The complaints about sources, with the folder cut off. */
function complaints(sources: ConfigSources): string[] {
  try {
    loadConfig(sources);
  } catch (error) {
    assert.ok(error instanceof UserError);
    return error.complaints.map(({ where, problem }) => `${where?.replace(`${folder}/`, '')}: ${problem}`);
  }
  return [];
}

test('without sources it is the defaults', () => {
  assert.deepEqual(loadConfig({}).written, configSchema.parse({}));
});

test('defaults < preset < files in order < settings in order; maps are merged, lists replaced', () => {
  const first = file(
    '1.yaml',
    'model: { embed-dim: 32, encoder: { layers: 3 } }\ntrain: { adam-betas: [0.8, 0.9] }\n',
  );
  const second = file('2.yaml', 'preset: tiny\nmodel: { embed-dim: 128 }\n');
  const { config } = loadConfig({ files: [first, second], sets: ['train.lr=2', 'train.lr=3', 'seed=5'] });
  const { model, train, seed } = config;
  assert.deepEqual([model.embedDim, model.encoder.layers, model.decoder.layers], [128, 3, 2]);
  assert.deepEqual([train.lr, train.adamBetas, train.adamEps, seed], [3, [0.8, 0.9], 1e-8, 5]);
});

test('the preset named last is the one, and null is none', () => {
  const tiny = file('tiny.yaml', 'preset: tiny\n');
  const none = file('none.yaml', 'preset: null\n');
  const width = (sources: ConfigSources): number => loadConfig(sources).config.model.embedDim;
  assert.equal(width({ files: [tiny] }), 64);
  assert.equal(width({ files: [tiny], sets: ['preset=multi30k'] }), 128);
  assert.equal(width({ files: [tiny, none] }), 512);
});

test('a setting may be a map', () => {
  const { model } = loadConfig({ sets: ['model.encoder={layers: 9}', 'model={embed-dim: 16}'] }).config;
  assert.deepEqual([model.encoder.layers, model.embedDim], [9, 16]);
});

test('a section without keys is none', () => {
  const { written } = loadConfig({ files: [file('bare.yaml', 'model:\n  # residual: pre-ln\ntrain:\n')] });
  assert.deepEqual(written, configSchema.parse({}));
});

test('all complaints about all sources come at once, in their order', () => {
  const one = file('one.yaml', 'train:\n  lr: 0\n  optimiser: adam\nnonsense: 1\n');
  const two = file('two.yaml', 'model:\n  encoder: 6\n  attention-heads: 7\n');
  assert.deepEqual(complaints({ files: [one, 'absent.yaml', two], sets: ['seed=x', 'beam=3'] }), [
    'absent.yaml: no such file or directory',
    "--set beam=3: unknown key 'beam'",
    'one.yaml:2:7: train.lr: expected a number above 0 and of at most 1000000000; found 0',
    "one.yaml:3:3: unknown key 'train.optimiser'",
    "one.yaml:4:1: unknown key 'nonsense'",
    'two.yaml:2:12: model.encoder: expected a map with keys of layers; found 6',
    "--set seed=x: seed: expected an integer of at least 0 and of at most 4294967295; found 'x'",
    'two.yaml:3:20: expected model.embed-dim to be a multiple of model.attention-heads; found 512 and 7',
  ]);
});

test('a rule about a key that is wrong by itself is not complained of as well', () => {
  assert.deepEqual(complaints({ sets: ['model.embed-dim=511x', 'model.attention-heads=7'] }), [
    "--set model.embed-dim=511x: model.embed-dim: expected an integer of at least 2 and of at most 65536; found '511x'",
  ]);
});

test('sizes beyond any model are refused by themselves', () => {
  for (const [set, most] of [
    ['decode.beam=100000', 1000],
    ['decode.nbest=1001', 1000],
    ['model.embed-dim=2147483648', 65536],
    ['model.ffn-embed-dim=1e300', 262144],
    ['model.encoder.layers=2147483648', 10000],
    ['model.attention-heads=65536', 4096],
    ['model.max-positions=4294967296', 1048576],
    ['data.tokenizer.vocab-size=9007199254740993', 1048576],
    ['train.max-update=1e10', 1000000000],
  ] as const) {
    const [found, ...others] = complaints({ sets: [set] });
    assert.ok(found.includes(`of at most ${most}`), found);
    assert.deepEqual(others, [], set);
  }
});

test('more unknown keys than anybody reads, and a long list of wrong items, take no time', () => {
  const before = process.cpuUsage();
  const many = Array.from({ length: 9990 }, (_, i) => `k${i}: 1\n`).join('');
  assert.equal(complaints({ files: [file('many.yaml', many)] }).length, 100);
  const [wrong, ...others] = complaints({ sets: [`train={freeze: [${'1,'.repeat(9000)}]}`] });
  assert.match(wrong, /train\.freeze: expected a list/);
  assert.deepEqual(others, []);
  assert.ok(process.cpuUsage(before).user < 5e6);
});

describe('unknown keys', () => {
  const hintOf = (content: string): string | undefined => {
    try {
      loadConfig({ files: [file('hint.yaml', content)] });
    } catch (error) {
      return (error as UserError).complaints[0].hint;
    }
    return undefined;
  };

  test('the nearest key beside it, or the same name elsewhere', () => {
    assert.equal(hintOf('train: { max-token: 1 }'), "Did you mean 'train.max-tokens'?");
    assert.equal(hintOf('modle: {}'), "Did you mean 'model'?");
    assert.equal(hintOf('lr: 1'), "Did you mean 'train.lr'?");
    assert.equal(hintOf('lenpenn: 1'), "Did you mean 'decode.lenpen'?");
    assert.equal(
      hintOf('model: { layers: 1 }'),
      "Did you mean 'model.encoder.layers' or 'model.decoder.layers'?",
    );
    assert.equal(hintOf('model: { encoder: { xyz: 1 } }'), 'The keys here are layers.');
  });

  test('a dotted key', () => {
    assert.equal(hintOf('train.lr: 1'), "Write it as a map, 'lr' within 'train'; dots are for --set.");
  });

  test('names of JavaScript’s own are keys like others', () => {
    for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
      assert.match(complaints({ files: [file('own.yaml', `${name}: 1\n`)] })[0], /unknown key/);
      assert.match(complaints({ files: [file('own.yaml', `train: { ${name}: 1 }\n`)] })[0], /unknown key/);
      assert.match(complaints({ sets: [`${name}=1`] })[0], /unknown key/);
    }
    assert.equal(({} as Record<string, unknown>).layers, undefined);
  });
});

test('a setting without effect is warned of where it was set', () => {
  const { warnings } = loadConfig({ sets: ['model.residual=rezero', 'model.omega.train=false'] });
  assert.deepEqual(warnings, [
    '--set model.omega.train=false: model.omega.train has no effect, since model.residual is rezero',
  ]);
  assert.deepEqual(loadConfig({ sets: ['model.residual=rezero'] }).warnings, []);
});

describe('loadRunConfig', () => {
  test('reads the config of a run, with settings over it', () => {
    file('config.yaml', 'preset: tiny\ndecode: { beam: 3 }\n');
    const { config } = loadRunConfig(folder, { sets: ['decode.lenpen=0.5'] });
    assert.deepEqual([config.model.embedDim, config.decode.beam, config.decode.lenpen], [64, 3, 0.5]);
    mkdirSync(path.join(folder, 'mean'));
    file('mean/model.safetensors', '');
    assert.deepEqual(loadRunConfig(path.join(folder, 'mean')).config.decode.beam, 3);
  });

  test('warns of what goes over it without effect, not of its own', () => {
    file('config.yaml', 'preset: tiny\ndecode: { alignment-head: 1 }\n');
    const warnings = (...sets: string[]) => loadRunConfig(folder, { sets }).warnings;
    const layer = 'decode.alignment-layer=1';
    assert.deepEqual(warnings(), []);
    assert.deepEqual(warnings(layer), [
      '--set decode.alignment-layer=1: decode.alignment-layer has no effect, since decode.alignment is null',
    ]);
    assert.deepEqual(warnings(layer, 'decode.alignment=hard'), []);
    assert.deepEqual(loadRunConfig(folder, { files: [{ decode: { 'alignment-layer': 1 } }] }).warnings, [
      'decode.alignment-layer has no effect, since decode.alignment is null',
    ]);
    const used = ['decode.alignment-layer'];
    assert.deepEqual(loadRunConfig(folder, { sets: [layer], used }).warnings, []);
  });

  test('refuses a folder that is no run', () => {
    assert.throws(() => loadRunConfig(path.join(folder, 'other')), /other: no such run directory/);
  });
});
