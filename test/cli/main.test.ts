import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { after, describe, test } from 'node:test';
import { packageRoot } from '../../src/common/files.js';
import { loadConfig } from '../../src/config/load.js';
import { runProgram } from './run-program.js';

const folder = mkdtempSync(path.join(tmpdir(), 'admin-nmt-main-'));
after(() => rmSync(folder, { recursive: true }));
const write = (name: string, content: string): void => {
  mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
  writeFileSync(path.join(folder, name), content);
};

/** The config that a command line comes to. */
function printed(...args: string[]) {
  const { status, stdout, stderr } = runProgram([...args, '--print-config'], { cwd: folder });
  assert.equal(stderr, '');
  assert.equal(status, 0);
  const file = path.join(folder, 'printed.yaml');
  writeFileSync(file, stdout);
  return loadConfig({ files: [file] }).config;
}

describe('flags', () => {
  test('fairseq’s spellings set the keys', () => {
    const { data, model, train } = printed(
      ...['train', '-s', 'no', '-t', 'en', '--trainpref', 'a', '--validpref=b', '--testpref', 'c'],
      ...[
        '--destdir',
        'bin',
        '--data-root',
        'text',
        '--save-dir',
        '2024',
        '--max-tokens',
        '100',
        '--update-freq=2',
      ],
      ...['--lr', '1e-3', '--warmup-updates', '10', '--label-smoothing', '0', '--optimizer', 'adam'],
      ...[
        '--adam-betas',
        '(0.9, 0.999)',
        '--lr-scheduler',
        'inverse_sqrt',
        '--patience',
        '3',
        '--max-update',
        '9',
      ],
      ...[
        '--encoder-layers',
        '18',
        '--decoder-layers',
        '12',
        '--encoder-embed-dim',
        '64',
        '--relu-dropout',
        '0',
      ],
      ...['--share-decoder-input-output-embed', '--no-joint', '--omega-init', 'analytic', '--no-omega-train'],
    );
    assert.deepEqual(
      [data.sourceLang, data.targetLang, data.train, data.valid, data.test, data.destdir, data.root],
      ['no', 'en', 'a', 'b', 'c', 'bin', 'text'],
    );
    assert.deepEqual(
      [train.saveDir, train.maxTokens, train.updateFreq, train.lr, train.warmupUpdates, train.labelSmoothing],
      ['2024', 100, 2, 0.001, 10, 0],
    );
    assert.deepEqual(
      [train.optimizer, train.adamBetas, train.lrScheduler, train.patience, train.maxUpdate],
      ['adam', [0.9, 0.999], 'inverse-sqrt', 3, 9],
    );
    assert.deepEqual([model.encoder.layers, model.decoder.layers, model.embedDim], [18, 12, 64]);
    assert.deepEqual(
      [model.activationDropout, model.shareEmbeddings, data.tokenizer.joint],
      [0, 'decoder', false],
    );
    assert.deepEqual([model.omega.init, model.omega.train], ['analytic', false]);
  });

  test('the last of --set and flags wins, and all of them override files', () => {
    write('lr.yaml', 'train: { lr: 1 }\n');
    assert.equal(printed('train', 'lr.yaml', '--lr', '2', '--set', 'train.lr=3').train.lr, 3);
    assert.equal(printed('train', 'lr.yaml', '--set', 'train.lr=3', '--lr', '2').train.lr, 2);
    assert.equal(printed('train', 'lr.yaml').train.lr, 1);
  });

  test('--print-config without a config prints the defaults; nothing at all is refused', () => {
    assert.deepEqual(printed('train'), loadConfig({}).config);
    const { status, stderr } = runProgram(['train'], { cwd: folder });
    assert.equal(status, 2);
    assert.match(stderr, /expected a config, found nothing/);
  });

  test('--preset lies under the files', () => {
    write('dim.yaml', 'model: { embed-dim: 32 }\n');
    const { model } = printed('train', 'dim.yaml', '--preset', 'tiny');
    assert.deepEqual([model.embedDim, model.encoder.layers], [32, 2]);
  });

  test('settings without effect are warned of, and --quiet keeps the warning', () => {
    const args = ['train', '--residual', 'pre-ln', '--omega-init', 'analytic', '--quiet', '--print-config'];
    assert.equal(
      runProgram(args).stderr,
      'warning: --omega-init analytic: model.omega.init has no effect, since model.residual is pre-ln\n',
    );
  });

  test('translate takes its config from the run, or from the run of a checkpoint', () => {
    write('run/checkpoint_best/model.safetensors', '');
    write('run/mean/model.safetensors', '');
    write('run/config.yaml', 'preset: wmt14-en-de\ndecode: { lenpen: 0.7 }\n');
    for (const run of ['run', 'run/checkpoint_best', 'run/checkpoint_best/', 'run/mean']) {
      const { decode } = printed('translate', run, '--beam', '7', '--nbest', '2');
      assert.deepEqual([decode.beam, decode.nbest, decode.lenpen], [7, 2, 0.7]);
    }
  });
});

describe('score', () => {
  write('ref', 'the cat sat on the mat\na dog\n');
  write('hyp', 'the cat sat on the mat\na dog\n');
  write('score.yaml', 'score: { tokenize: char, lowercase: true }\n');
  const score = (...args: string[]) => runProgram(['score', ...args], { cwd: folder });

  test('sacreBLEU’s flags of several letters', () => {
    const { status, stdout } = score(
      ...[
        'ref',
        '-i',
        'hyp',
        '-lc',
        '-tok',
        'intl',
        '-s',
        'floor',
        '-sv',
        '0.2',
        '-sh',
        '-f',
        'text',
        '-w',
        '3',
      ],
    );
    assert.equal(status, 0);
    assert.match(stdout, /^BLEU\|#:1\|c:lc\|e:no\|tok:intl\|s:floor\[0\.20\]\|[^ ]* = 100\.000 /);
  });

  test('standard input, one line a sentence, the number alone', () => {
    const { stdout } = runProgram(['score', 'ref', '-b', '-sl', '-w=0'.replace('=', '')], {
      cwd: folder,
      input: 'the cat sat on the mat\na cow\n',
    });
    assert.deepEqual(stdout.trim().split('\n').length, 2);
    assert.equal(stdout.split('\n')[0], '100');
  });

  test('a config gives the defaults, flags override it', () => {
    const signature = (...args: string[]): string =>
      JSON.parse(score('ref', '-i', 'hyp', ...args).stdout).signature;
    assert.match(signature('--config', 'score.yaml'), /case:lc\|eff:no\|tok:char/);
    assert.match(signature('--config', 'score.yaml', '-tok', '13a'), /case:lc\|eff:no\|tok:13a/);
    assert.match(signature('-l', 'en-zh'), /tok:zh/);
    assert.match(signature('-tl', 'zh'), /tok:zh/);
  });
});

describe('config', () => {
  test('configs/schema.json is current', () => {
    const file = path.join(packageRoot(), 'configs/schema.json');
    assert.equal(
      readFileSync(file, 'utf8'),
      runProgram(['config', 'schema']).stdout,
      'make it anew: node bin/admin-nmt.js config schema > configs/schema.json',
    );
  });

  test('explain: a path, a last name, a section, everything', () => {
    const explain = (...name: string[]) => runProgram(['config', 'explain', ...name]).stdout;
    assert.match(
      explain('train.lr'),
      /^train\.lr\n {2}Peak learning rate\.\n {2}expected {2}a number above 0 and of at most 1000000000\n/,
    );
    assert.equal(explain('lr'), explain('train.lr'));
    assert.match(explain('layers'), /^model\.encoder\.layers\n[\s\S]*\nmodel\.decoder\.layers\n/);
    assert.match(explain('decode'), /^decode\n {2}Translation\.\n\ndecode\.beam = 5\n/);
    assert.match(explain(), /^preset = null\n[\s\S]*\nscore\.smooth-value = null\n/);
  });

  test('print resolves', () => {
    write('b.yaml', 'train: { lr: 2 }\n');
    const { stdout } = runProgram(['config', 'print', 'b.yaml', '--set', 'seed=7'], { cwd: folder });
    assert.match(stdout, /^preset: null\nseed: 7\n[\s\S]*\n {2}lr: 2\n/);
  });
});

describe('help and scores start without tensors', () => {
  /** Every file of ours and every library that loads with a file of src/. */
  function loadedWith(file: string, found = new Set<string>()): Set<string> {
    if (found.has(file)) return found;
    found.add(file);
    const text = readFileSync(path.join(packageRoot(), 'src', file), 'utf8');
    for (const [, specifier] of text.matchAll(
      /^(?:import|export)\s(?!type\s)[^;]*?from '([^']+)'|^import '([^']+)'/gm,
    )) {
      if (!specifier.startsWith('.')) found.add(specifier);
      else loadedWith(path.posix.join(path.posix.dirname(file), specifier).replace(/\.js$/, '.ts'), found);
    }
    return found;
  }

  for (const file of ['cli/main.ts', 'workflows/score/score.ts']) {
    test(`src/${file}`, () => {
      const loaded = [...loadedWith(file)];
      assert.ok(loaded.includes('common/errors.ts'));
      assert.deepEqual(
        loaded.filter((name) => /^(ops|backend|model|train|decode)\/|tensorflow/.test(name)),
        [],
      );
    });
  }
});
