import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { writeToyCorpus } from '../../src/data/toy-language.js';
import { type Outcome, runProgram } from '../cli/run-program.js';
import { program, scratchFolder, writeFiles } from './program.js';

/**
 * Everything a person can get wrong: exit code 2, one clear message that says what and where, no stack trace, and nothing
 * half-written. Command lines share a process (see runProgram), but for a few that start the built program.
 */

const CONFIG = `
seed: 1
data: { source-lang: toa, target-lang: tob, root: corpus, train: train, valid: valid, destdir: data,
        tokenizer: { vocab-size: 120 } }
model: { residual: admin, embed-dim: 16, ffn-embed-dim: 16, attention-heads: 2,
         encoder: { layers: 1 }, decoder: { layers: 1 }, dropout: 0, attention-dropout: 0, activation-dropout: 0 }
train: { save-dir: run, max-tokens: 400, max-update: 3, lr: 0.001, warmup-updates: 2, log-interval: 1 }
`;

/** A folder with a corpus, a dataset and a trained run, made once; each test works on a copy. */
let trained: string;

before(() => {
  trained = scratchFolder('trained');
  writeToyCorpus(path.join(trained, 'corpus'), { pairs: 300 });
  writeFiles(trained, { 'toy.yaml': CONFIG });
  const { status, stderr } = program(trained, ['train', 'toy.yaml']);
  assert.equal(status, 0, stderr);
});

function workspace(): string {
  const folder = scratchFolder('bad');
  fs.cpSync(trained, folder, { recursive: true, verbatimSymlinks: true });
  return folder;
}

/** Exit 2, a message with all the patterns in it, and no stack. */
function assertRefused(outcome: Outcome, ...patterns: RegExp[]): void {
  assert.equal(outcome.status, 2, `exit ${outcome.status}\n${outcome.stderr}`);
  for (const pattern of patterns) assert.match(outcome.stderr, pattern);
  assert.doesNotMatch(outcome.stderr, /\n\s+at .*\.js:\d+/, 'a stack trace is not for users');
  assert.match(outcome.stderr, /error: /);
}

const run = (folder: string, ...args: string[]) => runProgram(args, { cwd: folder });
const preprocess = (folder: string, ...flags: string[]) =>
  run(folder, 'preprocess', 'toy.yaml', '--destdir', 'new', ...flags);
const train = (folder: string, ...flags: string[]) => run(folder, 'train', 'toy.yaml', ...flags);
const translate = (folder: string, ...flags: string[]) =>
  runProgram(['translate', 'run', ...flags], { cwd: folder, input: 'a line\n' });

test('files: none, a directory, empty, unequal, not UTF-8, NUL', () => {
  const folder = workspace();
  const corpus = (name: string) => path.join(folder, 'corpus', name);
  assertRefused(preprocess(folder, '--trainpref', 'nowhere'), /nowhere/, /no such file|not found/i);
  fs.mkdirSync(corpus('dir.toa'));
  fs.writeFileSync(corpus('dir.tob'), 'x\n');
  assertRefused(preprocess(folder, '--trainpref', 'dir'), /dir\.toa/, /directory/);
  writeFiles(path.join(folder, 'corpus'), { 'empty.toa': '', 'empty.tob': '' });
  assertRefused(preprocess(folder, '--trainpref', 'empty'), /empty/);
  writeFiles(path.join(folder, 'corpus'), { 'odd.toa': 'a\nb\nc\n', 'odd.tob': 'a\nb\n' });
  assertRefused(
    preprocess(folder, '--trainpref', 'odd'),
    /odd\.toa.*3|3.*odd\.toa/s,
    /odd\.tob.*2|2.*odd\.tob/s,
  );
  writeFiles(path.join(folder, 'corpus'), {
    'bytes.toa': Buffer.from('fine\nb\xffd\n', 'latin1'),
    'bytes.tob': 'a\nb\n',
  });
  assertRefused(preprocess(folder, '--trainpref', 'bytes'), /bytes\.toa:2/, /UTF-8/);
  writeFiles(path.join(folder, 'corpus'), { 'nul.toa': 'fine\nb\0d\n', 'nul.tob': 'a\nb\n' });
  assertRefused(preprocess(folder, '--trainpref', 'nul'), /nul\.toa:2/, /NUL/);
  writeFiles(path.join(folder, 'corpus'), {
    'torn.toa.gz': gzipSync('a\nb\n').subarray(0, 15),
    'torn.tob': 'a\nb\n',
  });
  assertRefused(preprocess(folder, '--trainpref', 'torn'), /torn\.toa\.gz/);
  writeFiles(path.join(folder, 'corpus'), { 'columns.tsv': 'a\tb\nonly one\n' });
  assertRefused(preprocess(folder, '--trainpref', 'columns.tsv'), /columns\.tsv:2/, /column/);
  assert.ok(!fs.existsSync(path.join(folder, 'new')), 'nothing half-written');
});

test('a line of 1 MB is dropped by the length filter and counted', () => {
  const folder = workspace();
  const corpus = path.join(folder, 'corpus');
  fs.appendFileSync(path.join(corpus, 'train.toa'), `${'wort '.repeat(200_000)}\n`);
  fs.appendFileSync(path.join(corpus, 'train.tob'), 'one\n');
  const { status, stderr } = preprocess(folder, '--vocab-size', '100');
  assert.equal(status, 0, stderr);
  const manifest = fs.readFileSync(path.join(folder, 'new', 'manifest.json'), 'utf8');
  assert.match(manifest, /max-length"?: ?1|"tooLong"?: ?1|max.?length[^}]*1/i);
});

test('a vocabulary larger than the text can give', () => {
  const folder = workspace();
  assertRefused(preprocess(folder, '--vocab-size', '50000'), /50000/, /vocab/i);
  assert.ok(!fs.existsSync(path.join(folder, 'new')));
});

test('configs: unknown key, wrong type and a clash, all at once with their places', () => {
  const folder = workspace();
  writeFiles(folder, {
    'bad.yaml': 'model:\n  atention-heads: 4\n  embed-dim: wide\ntrain:\n  lr: -1\n',
    'clash.yaml': 'model: { embed-dim: 100, attention-heads: 3 }\n',
    'broken.yaml': 'model: [\n',
  });
  const outcome = run(folder, 'train', 'bad.yaml');
  assertRefused(
    outcome,
    /bad\.yaml:2:3.*atention-heads/,
    /attention-heads/,
    /bad\.yaml:3:14/,
    /bad\.yaml:5:7/,
  );
  assertRefused(run(folder, 'train', 'toy.yaml', 'clash.yaml'), /attention-heads|embed-dim/, /clash\.yaml:1/);
  assertRefused(run(folder, 'train', 'broken.yaml'), /broken\.yaml:/);
  assertRefused(run(folder, 'train', 'toy.yaml', '--set', 'train.learning=1'), /train\.learning/);
  assertRefused(run(folder, 'train', 'none.yaml'), /none\.yaml/);
});

test('unknown command and flag are answered with the nearest one', () => {
  const folder = workspace();
  assertRefused(program(folder, ['trian']), /train/);
  assertRefused(program(folder, ['train', 'toy.yaml', '--max-token', '5']), /--max-tokens/);
});

test('a sentence longer than the token budget is skipped and counted', () => {
  const folder = workspace();
  const { status, stderr } = train(folder, '--save-dir', 'short', '--max-tokens', '12');
  assert.equal(status, 0, stderr);
  assert.match(stderr, /skipped \d+|\d+[^\n]* skipped/);
  assertRefused(train(folder, '--save-dir', 'shorter', '--max-tokens', '1'), /max-tokens/);
});

/** Damages a file: cut to a third, or its first bytes overwritten by garbage that claims huge sizes. */
const DAMAGES: [name: string, damage: (file: string) => void][] = [
  ['truncated', (file) => fs.truncateSync(file, Math.floor(fs.statSync(file).size / 3))],
  [
    'garbage',
    (file) =>
      fs.writeFileSync(file, Buffer.concat([Buffer.alloc(64, 0xff), fs.readFileSync(file).subarray(64)])),
  ],
  ['empty', (file) => fs.truncateSync(file, 0)],
];

for (const [name, damage] of DAMAGES) {
  test(`${name} checkpoint, dataset, dictionary, tokenizer, profile`, () => {
    const folder = workspace();
    const last = fs.realpathSync(path.join(folder, 'run', 'checkpoint_last'));
    const cases: [file: string, use: () => Outcome][] = [
      [path.join(last, 'model.safetensors'), () => translate(folder, '--checkpoint', 'last')],
      [path.join(last, 'optimizer.safetensors'), () => train(folder, '--max-update', '4')],
      [path.join(last, 'state.json'), () => train(folder, '--max-update', '4')],
      [path.join(folder, 'run', 'tokenizer.model'), () => translate(folder)],
      [path.join(folder, 'run', 'dict.toa.txt'), () => translate(folder)],
      [path.join(folder, 'data', 'train.toa-tob.toa.idx'), () => train(folder, '--save-dir', 'other')],
      [
        path.join(folder, 'run', 'admin-profile.json'),
        () => train(folder, '--save-dir', 'p', '--set', 'model.omega.profile=run/admin-profile.json'),
      ],
      [
        path.join(folder, 'run', 'profile.ratio.init'),
        () => train(folder, '--save-dir', 'q', '--set', 'model.omega.profile=run/profile.ratio.init'),
      ],
    ];
    for (const [file, use] of cases) {
      const whole = fs.readFileSync(file);
      damage(file);
      assertRefused(use(), new RegExp(path.basename(file).replaceAll('.', '\\.')));
      fs.writeFileSync(file, whole);
    }
  });
}

test('a checkpoint of another shape, a profile of another depth, a run of another config', () => {
  const folder = workspace();
  const config = path.join(folder, 'run', 'config.yaml');
  const text = fs.readFileSync(config, 'utf8');
  fs.writeFileSync(config, text.replace('ffn-embed-dim: 16', 'ffn-embed-dim: 24'));
  assertRefused(translate(folder), /fc1/, /16/, /24/);
  fs.writeFileSync(config, text);
  fs.appendFileSync(
    path.join(folder, 'run', 'dict.toa.txt'),
    'extra 1\n'.repeat(8).replace(/extra/g, () => `x${Math.random()}`),
  );
  assertRefused(translate(folder), /dict\.toa\.txt|vocabulary|embed_tokens/i);
  assertRefused(
    train(
      folder,
      '--save-dir',
      'deeper',
      '--encoder-layers',
      '2',
      '--set',
      'model.omega.profile=run/admin-profile.json',
    ),
    /admin-profile\.json/,
    /1/,
    /2/,
  );
  assertRefused(train(folder, '--ffn-embed-dim', '32'), /ffn-embed-dim/, /16/, /32/);
});

/**
 * A command under which permissions bind root, too, as they bind anybody else: the same user without the capabilities
 * that pass them over, so that a clone that only its owner may enter can still be read. None for other users; undefined
 * where root has no such command.
 */
function boundByPermissions(): string[] | undefined {
  if (process.getuid?.() !== 0) return [];
  const command = ['setpriv', '--bounding-set=-dac_override,-dac_read_search', '--inh-caps=-all'];
  return spawnSync(command[0], [...command.slice(1), 'true']).status === 0 ? command : undefined;
}

test('a path that cannot be written', (t) => {
  const folder = workspace();
  fs.writeFileSync(path.join(folder, 'file'), '');
  assertRefused(preprocess(folder, '--destdir', 'file/data'), /file/);
  assertRefused(translate(folder, '--output', 'file/hyp'), /file/);
  const under = boundByPermissions();
  if (under === undefined)
    return t.skip('root is bound by permissions under setpriv only, which is not here');
  fs.mkdirSync(path.join(folder, 'closed'), { mode: 0o555 });
  const outcome = program(folder, ['preprocess', 'toy.yaml', '--destdir', 'closed/new'], { under });
  assertRefused(outcome, /closed/, /permission denied/);
});

test('a full disk: refused, and what was there stays', (t) => {
  const folder = workspace();
  const disk = path.join(folder, 'disk');
  fs.mkdirSync(disk);
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=48k', 'tmpfs', disk]);
  if (mounted.status !== 0) return t.skip('a small file system cannot be mounted here');
  try {
    assertRefused(preprocess(folder, '--destdir', 'disk/data'), /no space left/);
    assertRefused(train(folder, '--save-dir', 'disk/run'), /no space left/);
    assert.deepEqual(
      fs.readdirSync(disk).filter((name) => name.includes('.tmp') || name === 'data'),
      [],
    );
  } finally {
    spawnSync('umount', [disk]);
  }
});

test('score: unequal line counts, unknown tokenizer, missing file', () => {
  const folder = workspace();
  writeFiles(folder, { ref: 'a\nb\n', hyp: 'a\n', bad: Buffer.from('a\n\xff\n', 'latin1') });
  assertRefused(run(folder, 'score', 'ref', '-i', 'hyp'), /ref.*2|2.*ref/s, /hyp.*1|1.*hyp/s);
  assertRefused(run(folder, 'score', 'ref', '-i', 'ref', '--tokenize', '13b'), /13a/);
  assertRefused(run(folder, 'score', 'ref', '-i', 'ref', '-m', 'blue'), /bleu/);
  assertRefused(run(folder, 'score', 'ref', '-i', 'none'), /none/);
  assertRefused(run(folder, 'score', 'ref', '-i', 'bad'), /bad:2/);
});

test('translate: no run, a run without checkpoints, nbest above beam', () => {
  const folder = workspace();
  assertRefused(run(folder, 'translate', 'nowhere'), /nowhere/);
  fs.mkdirSync(path.join(folder, 'bare'));
  assertRefused(run(folder, 'translate', 'bare'), /bare/);
  assertRefused(translate(folder, '--beam', '2', '--nbest', '3'), /nbest/, /beam/);
});
