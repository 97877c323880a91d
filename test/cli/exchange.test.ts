import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import process from 'node:process';
import { after, before, test } from 'node:test';
import { marianArrays, marianOptions, SMALL, writeMarianModel } from '../../scripts/marian-model.js';
import { packageRoot } from '../../src/common/files.js';
import { readCtranslate2 } from '../../src/formats/ctranslate2.js';
import { Global, Made, orderedDict, type PickleValue } from '../../src/formats/pickle.js';
import { type NamedArray, readSafetensors, writeSafetensors } from '../../src/formats/safetensors.js';
import { openTorchFile, writeTorchFile } from '../../src/formats/torch-file.js';
import { RESIDUALS } from '../model/models.js';
import { type Outcome, runProgram } from './run-program.js';

/** A little data-bin of six pairs, made by the official code. */
const DATA_BIN = path.join(packageRoot(), 'test/data/fixtures/joint');
const OFFICIAL = path.join(packageRoot(), 'test/formats/fixtures/torch-save');

const folder = fs.mkdtempSync(path.join(tmpdir(), 'admin-nmt-exchange-'));
after(() => fs.rmSync(folder, { recursive: true, force: true }));

const CONFIG = {
  backend: 'cpu',
  data: { 'source-lang': 'en', 'target-lang': 'it', destdir: DATA_BIN, prepared: true },
  model: {
    residual: 'admin',
    'embed-dim': 8,
    'ffn-embed-dim': 12,
    'attention-heads': 2,
    encoder: { layers: 1 },
    decoder: { layers: 1 },
    'max-positions': 16,
  },
  train: { 'save-dir': 'run', 'max-epoch': 6, 'warmup-updates': 0, lr: 0.02 },
};

const TEXT = `${fs.readFileSync(path.join(DATA_BIN, '../train.en'), 'utf8').trim()}\n`;
const run = (...args: string[]): Outcome => runProgram(args, { cwd: folder, input: TEXT });
const at = (...names: string[]) => path.join(folder, ...names);
const weights = (...names: string[]) => readSafetensors(at(...names, 'model.safetensors')).tensors;

function done({ status, stdout, stderr }: Outcome): string {
  assert.equal(status, 0, stderr);
  return stdout || stderr;
}

function refused({ status, stderr }: Outcome, pattern: RegExp): void {
  assert.equal(status, 2, stderr);
  assert.match(stderr, pattern);
}

before(() => {
  fs.writeFileSync(at('config.yaml'), JSON.stringify(CONFIG));
  fs.writeFileSync(at('text.en'), TEXT);
  done(run('train', 'config.yaml'));
  done(run('train', 'config.yaml', '--residual', 'rezero', '--save-dir', 'rezero'));
});

test('fold: a run directory that translates the same, proven on the validation split and on text', () => {
  const printed = done(run('fold', 'run', '-o', 'folded'));
  assert.match(printed, /share-embeddings all → none, positions sinusoidal → learned/);
  const [, difference] = /all entries of the vocabulary by at most (\S+)\n/.exec(printed)!;
  assert.ok(Number(difference) < 1e-4, difference);
  assert.ok(!weights('folded', 'checkpoint_best').has('encoder.layers.0.fc_ratio_change'));
  assert.equal(done(run('translate', 'folded', '--quiet')), done(run('translate', 'run', '--quiet')));
  assert.match(done(run('fold', 'run', '-o', 'other', '--verify', 'text.en')), /6 of 6 are identical/);
  refused(run('fold', 'run', '-o', 'folded'), /folded: .*something in the way/);
  refused(run('fold', 'folded', '-o', 'twice'), /residual post-ln, which has no ω/);
  refused(run('fold', 'rezero', '-o', 'twice'), /residual rezero, which has no ω/);
  refused(run('train', 'config.yaml', '--save-dir', 'folded'), /a config.yaml that train did not write/);
  assert.ok(!fs.existsSync(at('twice')));
});

test('fold: an ω of zero is refused', () => {
  fs.cpSync(at('run'), at('broken'), { recursive: true, verbatimSymlinks: true });
  const checkpoint = at('broken', fs.readlinkSync(at('broken', 'checkpoint_best')));
  fs.rmSync(path.join(checkpoint, 'checksums.json'));
  const file = path.join(checkpoint, 'model.safetensors');
  const { tensors } = readSafetensors(file);
  tensors.get('decoder.layers.0.fc_ratio_change')!.data[3] = 0;
  writeSafetensors(file, tensors);
  refused(run('fold', 'broken', '-o', 'zero'), /fc_ratio_change: cannot fold this ω: .*component 3/);
  assert.ok(!fs.existsSync(at('zero')));
});

test('export to CTranslate2: an Admin model is folded, the vocabulary is shared', () => {
  done(run('export', 'run', '-f', 'ctranslate2', '-o', 'ct2'));
  const { variables } = readCtranslate2(at('ct2', 'model.bin'));
  assert.deepEqual(variables.get('decoder/projection/weight')!.shape, [32, 8]);
  assert.deepEqual(variables.get('encoder/position_encodings/encodings')!.shape, [16, 8]);
  const vocabulary = JSON.parse(fs.readFileSync(at('ct2', 'shared_vocabulary.json'), 'utf8'));
  assert.deepEqual([vocabulary.length, ...vocabulary.slice(0, 4)], [32, '<s>', '<blank>', '</s>', '<unk>']);
  const config = JSON.parse(fs.readFileSync(at('ct2', 'config.json'), 'utf8'));
  assert.deepEqual([config.decoder_start_token, config.add_source_eos], ['</s>', true]);
  refused(run('export', 'rezero', '-f', 'ctranslate2', '-o', 'none'), /found model.residual rezero/);
  assert.ok(!fs.existsSync(at('none')));
});

test('export to fairseq and import give the same weights and translations', () => {
  done(run('export', 'run', '-f', 'fairseq', '-o', 'official'));
  assert.equal(fs.readFileSync(at('official', 'profile.ratio.init'), 'utf8').trim().split('\n').length, 5);
  done(run('import', 'official/model.pt', '-o', 'back', '--data-bin', 'official'));
  const sorted = (...names: string[]) => [...weights(...names)].sort(([a], [b]) => (a < b ? -1 : 1));
  assert.deepEqual(sorted('back', 'checkpoint_best'), sorted('run', 'checkpoint_best'));
  assert.equal(done(run('translate', 'back', '--quiet')), done(run('translate', 'run', '--quiet')));
  refused(run('export', 'rezero', '-f', 'fairseq', '-o', 'none'), /cannot build a model of residual rezero/);
});

test('import of checkpoints that the official code has saved', () => {
  for (const name of ['legacy', 'zip']) {
    const file = path.join(OFFICIAL, `${name}.pt`);
    const printed = done(run('import', file, '-o', name, '--data-bin', DATA_BIN));
    assert.match(printed, /1 \+ 1 layers of width 8, admin/);
    assert.equal(done(run('translate', name, '--quiet')).split('\n').length, 7);
  }
  const file = path.join(OFFICIAL, 'legacy.pt');
  refused(run('import', file, '-o', 'x', '--data-bin', 'nowhere'), /nowhere\/dict\.en\.txt: no such file/);
  refused(run('import', 'config.yaml', '-o', 'x', '--data-bin', DATA_BIN), /neither a zip nor a pickle/);
  const languages = ['-s', 'it', '-t', 'it'];
  refused(run('import', file, '-o', 'x', '--data-bin', DATA_BIN, ...languages), /expected two languages/);
  assert.ok(!fs.existsSync(at('x')));
});

test('a model of Marian is imported, translated with and exported', () => {
  const random = pseudoRandom(5);
  writeMarianModel(at('marian'), marianOptions(SMALL), marianArrays(SMALL, random), SMALL.vocabulary);
  const model = 'marian/model.npz';
  const flags = ['-o', 'opus', '--vocabs', 'marian/vocab.yml', '-s', 'de', '-t', 'en'];
  refused(run('import', model, '-o', 'opus'), /expected --vocabs, found none/);
  refused(run('import', model, ...flags, '--data-bin', 'x'), /found --data-bin, which is for a checkpoint/);
  assert.match(done(run('import', model, ...flags)), /Model of Marian: 2 \+ 2 layers of width 8/);
  done(run('translate', 'opus', '--input', 'marian/vocab.yml', '--max-len-b', '9', '--max-len-a', '0'));
  done(run('export', 'opus', '-f', 'ctranslate2', '-o', 'opus-ct2'));
  const { variables } = readCtranslate2(at('opus-ct2/model.bin'));
  assert.equal(variables.get('decoder/projection/bias')!.data.length, SMALL.vocabulary + 2);
  assert.match(fs.readFileSync(at('opus-ct2/config.json'), 'utf8'), /"decoder_start_token": "<blank>"/);
  refused(
    run('export', 'opus', '-f', 'fairseq', '-o', 'opus-pt'),
    /the official code has no activation swish/,
  );
});

test('a model of Marian is trained further', () => {
  const joint = fs.readFileSync(path.join(DATA_BIN, 'dict.en.txt'), 'utf8').trimEnd().split('\n');
  const symbols = ['</s>', '<unk>', ...joint.map((line) => line.slice(0, line.lastIndexOf(' ')))];
  const shape = { ...SMALL, vocabulary: symbols.length };
  writeMarianModel(at('joint'), marianOptions(shape), marianArrays(shape, pseudoRandom(9)), 2);
  const lines = symbols.map((symbol, id) => `${JSON.stringify(symbol)}: ${id}\n`);
  fs.writeFileSync(at('joint/vocab.yml'), lines.join(''));
  done(
    run('import', 'joint/model.npz', '-o', 'start', '--vocabs', 'joint/vocab.yml', '-s', 'en', '-t', 'it'),
  );
  // The dataset of another model has the same symbols, and other counts.
  fs.cpSync(DATA_BIN, at('joint/data'), { recursive: true });
  fs.rmSync(at('joint/data/checksums.json'), { force: true });
  for (const name of ['dict.en.txt', 'dict.it.txt'])
    fs.copyFileSync(at('start', name), at('joint/data', name));
  const flags = ['--destdir', 'joint/data', '--init-from', 'start/checkpoint_best', '--save-dir', 'tuned'];
  const short = ['--max-update', '8', '--warmup-updates', '0', '--freeze', '*.embed_positions.weight'];
  const [command, config] = ['train', 'start/config.yaml'];
  refused(
    run(command, config, ...flags, ...short, '--no-reset-optimizer'),
    /found an imported model, which has weights/,
  );
  done(run(command, config, ...flags, ...short));
  const [before, now] = ['start/checkpoint_best', 'tuned/checkpoint_best'].map((name) => weights(name));
  const same = (name: string) => String(before.get(name)!.data) === String(now.get(name)!.data);
  assert.ok(!same('decoder.output_bias'), 'the bias is trained');
  assert.ok(same('encoder.embed_positions.weight'), 'positions are frozen');
});

/** The tensors and args of a checkpoint that the official code has saved. */
function officialCheckpoint() {
  const torch = openTorchFile(path.join(OFFICIAL, 'zip.pt'));
  const saved = torch.value as Map<PickleValue, PickleValue>;
  const state = (saved.get('model') as Made).items as Map<string, PickleValue>;
  const tensors = new Map([...state].map(([name, value]) => [name, torch.readTensor(value, name)]));
  torch.close();
  return { tensors, args: (saved.get('args') as Made).state as Map<PickleValue, PickleValue> };
}

type Tensors = ReturnType<typeof officialCheckpoint>['tensors'];

/** q, k and v as three linear maps each, as fairseq ≥ 0.9 has them. */
function splitProjections(tensors: Tensors): Tensors {
  return new Map(
    [...tensors].flatMap(([name, { shape, data }]): [string, NamedArray][] => {
      const [prefix, part] = name.split('in_proj_');
      if (part === undefined) return [[name, { shape, data }]];
      const size = data.length / 3;
      return [...'qkv'].map((letter, i) => [
        `${prefix}${letter}_proj.${part}`,
        { shape: [shape[0] / 3, ...shape.slice(1)], data: data.slice(i * size, (i + 1) * size) },
      ]);
    }),
  );
}

const namespace = (entries: Map<PickleValue, PickleValue>): Made => {
  const made = new Made(new Global('argparse', 'Namespace'));
  made.state = entries;
  return made;
};

test('import of deepnmt and of newer fairseq: other names, the same model', () => {
  const { tensors, args } = officialCheckpoint();
  const save = (name: string, of: Tensors, about: [PickleValue, PickleValue][]) =>
    writeTorchFile(
      at(name),
      of,
      (values) => new Map<PickleValue, PickleValue>([...about, ['model', orderedDict(values)]]),
    );
  const translated = (file: string, scheme: string) => {
    const folder = `of-${path.basename(file)}`;
    const printed = done(run('import', file, '-o', folder, '--data-bin', DATA_BIN));
    assert.match(printed, new RegExp(`1 \\+ 1 layers of width 8, ${scheme}`));
    return done(run('translate', folder, '--quiet'));
  };
  const admin = translated(path.join(OFFICIAL, 'zip.pt'), 'admin');
  const deepnmt = new Map(args).set('admin_init_type', args.get('init_type')!);
  deepnmt.delete('init_type');
  save('deepnmt.pt', splitProjections(tensors), [['args', namespace(deepnmt)]]);
  assert.equal(translated(at('deepnmt.pt'), 'admin'), admin);
  const languages = new Map(['source_lang', 'target_lang'].map((name) => [name, args.get(name)!] as const));
  const cfg = new Map<PickleValue, PickleValue>([
    ['model', namespace(deepnmt)],
    ['task', new Map<PickleValue, PickleValue>(languages)],
  ]);
  for (const name of languages.keys()) deepnmt.delete(name);
  save('dict.pt', splitProjections(tensors), [
    ['args', null],
    ['cfg', cfg],
  ]);
  assert.equal(translated(at('dict.pt'), 'admin'), admin);
  // A DictConfig of omegaconf, and the same weights as the official code would name them.
  const withoutOmega = new Map([...tensors].filter(([name]) => !name.endsWith('ratio_change')));
  save('plain.pt', withoutOmega, [['args', namespace(new Map(args).set('init_type', 'default'))]]);
  assert.equal(translated(path.join(OFFICIAL, 'cfg.pt'), 'post-ln'), translated(at('plain.pt'), 'post-ln'));
  save('neither.pt', tensors, [['args', null]]);
  refused(
    run('import', 'neither.pt', '-o', 'x', '--data-bin', DATA_BIN),
    /'args' is no argparse.Namespace, and its 'cfg' has no section 'model'/,
  );
});

test('import refuses weights that are not finite, altered dictionaries, and sizes beyond any model', () => {
  const [checkpoint, torch] = [at('official-like.pt'), openTorchFile(path.join(OFFICIAL, 'zip.pt'))];
  const saved = torch.value as Map<PickleValue, PickleValue>;
  const state = (saved.get('model') as Made).items as Map<string, PickleValue>;
  const tensors = new Map([...state].map(([name, value]) => [name, torch.readTensor(value, name)]));
  torch.close();
  const args = (saved.get('args') as Made).state as Map<string, PickleValue>;
  const write = () =>
    writeTorchFile(
      checkpoint,
      tensors,
      (values) =>
        new Map<PickleValue, PickleValue>([
          ['args', saved.get('args')!],
          ['model', orderedDict(values)],
        ]),
    );
  const importing = (dataBin = DATA_BIN) => run('import', checkpoint, '-o', 'x', '--data-bin', dataBin);
  const weight = tensors.get('decoder.layers.0.fc1.bias')!.data;
  const kept = weight[3];
  weight[3] = Number.NaN;
  write();
  refused(importing(), /official-like\.pt: .*found NaN in 'decoder\.layers\.0\.fc1\.bias' \(value 3\)/);
  weight[3] = kept;
  for (const [name, key] of [
    ['encoder_layers', 'model.encoder.layers'],
    ['decoder_ffn_embed_dim', 'model.ffn-embed-dim'],
  ]) {
    const before = new Map(args);
    for (const each of name.endsWith('layers') ? [name] : [name, name.replace('decoder', 'encoder')])
      args.set(each, 2147483647);
    write();
    refused(importing(), new RegExp(`${key}: expected an integer of .* at most \\d+; found 2147483647`));
    for (const [each, value] of before) args.set(each, value);
  }
  write();
  fs.cpSync(at('run'), at('altered'), { recursive: true, verbatimSymlinks: true });
  fs.appendFileSync(at('altered', 'dict.en.txt'), 'x 1\n');
  refused(importing('altered'), /altered\/dict\.en\.txt: the file is not as it was written/);
  done(importing());
});

const torch = process.env.TORCH_PYTHON;
/** Numbers around 0, always the same. */
function pseudoRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 8) / 2 ** 24 - 0.5;
  };
}

const noTorch = torch ? false : 'TORCH_PYTHON does not name a python that can import torch';

/** Compares docs/pytorch-loader.py with `translate` of a run, over the translations that it finds. */
function compareWithLoader(name: string, target: string): void {
  done(run('export', name, '-f', 'safetensors', '-o', `st-${name}`));
  const translated = done(run('translate', name, '-f', 'jsonl', '--max-len-b', '9', '--quiet'));
  const idsIn = (language: string): Map<string, number> => {
    const ids = new Map(['<s>', '<pad>', '</s>', '<unk>'].map((symbol, id) => [symbol, id]));
    const dictionary = fs
      .readFileSync(at(`st-${name}`, `dict.${language}.txt`), 'utf8')
      .trim()
      .split('\n');
    for (const line of dictionary) ids.set(line.slice(0, line.lastIndexOf(' ')), ids.size);
    return ids;
  };
  const idsOf = (ids: Map<string, number>, tokens: string[]) => tokens.map((token) => ids.get(token) ?? 3);
  const lines = translated
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const pairs = lines.map(({ source, hypotheses: [best] }) => [
    [...idsOf(idsIn('en'), source.split(' ')), 2],
    idsOf(idsIn(target), best.tokens),
  ]);
  const input = pairs.map((pair) => `${JSON.stringify(pair)}\n`).join('');
  const loader = path.join(packageRoot(), 'docs/pytorch-loader.py');
  const output = execFileSync(torch!, [loader, at(`st-${name}`)], { encoding: 'utf8', input });
  const found = output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as number[]);
  lines.forEach(({ hypotheses: [best] }, i) => {
    best.tokenLogProbs.forEach((logProb: number, k: number) => {
      assert.ok(Math.abs(logProb - found[i][k]) < 1e-4, `${name}: ${logProb} and ${found[i][k]}`);
    });
  });
}

test('docs/pytorch-loader.py gives our log-probabilities in every scheme', { skip: noTorch }, () => {
  for (const residual of RESIDUALS) {
    done(run('train', 'config.yaml', '--residual', residual, '--save-dir', `run-${residual}`));
    compareWithLoader(`run-${residual}`, 'it');
  }
});

test('and of models of Marian: a bias, swish, another start', { skip: noTorch }, () => {
  compareWithLoader('start', 'it'); // imported above
});

test('docs/admin-in-pytorch.py reads a profile, and profiles by our rule', { skip: noTorch }, () => {
  const script = path.join(packageRoot(), 'docs/admin-in-pytorch.py');
  const printed = execFileSync(torch!, [script, at('run', 'admin-profile.json')], { encoding: 'utf8' });
  const lines = printed.trim().split('\n');
  assert.equal(lines.length, 5 + 1); // 1 + 1 layers, and the toy stack
  assert.match(lines[0], /^encoder\t0\tself\t1\.0000$/);
  assert.match(lines.at(-1)!, /^toy\t1\.0000 /);
});

const ctranslate2 = process.env.CTRANSLATE2_PYTHON;
const noCtranslate2 = ctranslate2
  ? false
  : 'CTRANSLATE2_PYTHON does not name a python that can import ctranslate2';

test('CTranslate2 translates as we do at beam 5', { skip: noCtranslate2 }, () => {
  done(run('export', 'run', '-f', 'ctranslate2', '-o', 'ct2-live'));
  const script = [
    'import ctranslate2, sys',
    'translator = ctranslate2.Translator(sys.argv[1], device="cpu", compute_type="float32")',
    'lines = [line.split() for line in sys.stdin]',
    'limits = {"min_decoding_length": 0, "max_decoding_length": 200}',
    'for found in translator.translate_batch(lines, beam_size=5, **limits): print(" ".join(found.hypotheses[0]))',
  ].join('\n');
  const input = TEXT;
  const output = execFileSync(ctranslate2!, ['-c', script, at('ct2-live')], { encoding: 'utf8', input });
  assert.equal(output, done(run('translate', 'run', '--quiet')));
});
