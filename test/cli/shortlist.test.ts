import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { writeToyCorpus } from '../../src/data/toy-language.js';
import { loadDictionaries } from '../../src/decode/load-model.js';
import { Shortlist } from '../../src/decode/shortlist.js';
import { writeShortlist } from '../../src/decode/shortlist-file.js';
import { done, refused } from './outcomes.js';
import { type Outcome, runProgram } from './run-program.js';
import { toyConfig } from './toy-run.js';

const folder = fs.mkdtempSync(path.join(tmpdir(), 'admin-nmt-shortlist-'));
after(() => fs.rmSync(folder, { recursive: true, force: true }));

const CONFIG = toyConfig({ 'max-update': 2 }, { beam: 2 });

const at = (...names: string[]) => path.join(folder, ...names);
const run = (...args: string[]): Outcome => runProgram(args, { cwd: folder });

/** Translations of the validation text. */
const translate = (...flags: string[]): Outcome =>
  run('translate', 'run', '--input', 'valid.toa', '--format', 'nbest', ...flags);

before(() => {
  writeToyCorpus(folder, { pairs: 600, valid: 12, test: 1 });
  fs.writeFileSync(at('config.yaml'), JSON.stringify(CONFIG));
  done(run('train', 'config.yaml'));
  done(run('shortlist', 'run'));
});

test('shortlist: the training pairs of a finished run → a file beside its tokenizer, always the same', () => {
  const { stderr, stdout } = done(run('shortlist', 'run/checkpoint_last', '-o', 'other'));
  assert.equal(stdout, '');
  assert.match(stderr, /^Learning from 600 of the 600 training pairs in data-bin$/m);
  assert.match(
    stderr,
    /^\d+ source pieces with \d+\.\d target pieces on average, and the 100 most frequent, of \d+$/m,
  );
  assert.match(
    stderr,
    /^To translate with it: admin-nmt translate run\/checkpoint_last --shortlist other --input FILE$/m,
  );
  assert.deepEqual(fs.readFileSync(at('other')), fs.readFileSync(at('run/shortlist.safetensors')));
  const { size } = fs.statSync(at('other'));
  done(run('shortlist', 'run', '--best', '2', '--first', '0', '--pairs', '50', '-o', 'small'));
  assert.ok(fs.statSync(at('small')).size < size / 4);
});

test('translate --shortlist: the same in batches of any size; other scores than those of all pieces', () => {
  const flags = ['--shortlist', 'run/shortlist.safetensors'];
  const { stdout, stderr } = done(translate(...flags));
  assert.match(stderr, /^Shortlist: run\/shortlist\.safetensors$/m);
  assert.equal(stdout.trim().split('\n').length, 12);
  assert.equal(done(translate(...flags, '--batch-size', '1')).stdout, stdout);
  assert.equal(done(translate(...flags, '--batch-size', '5')).stdout, stdout);
  assert.notEqual(done(translate()).stdout, stdout);
  assert.equal(done(translate(...flags, '--shortlist', 'null')).stdout, done(translate()).stdout);
});

test('with all pieces in it, translations and scores are those without', () => {
  const dictionaries = loadDictionaries(at('run'), { sourceLang: 'toa', targetLang: 'tob' });
  const whole = new Shortlist({
    frequent: Int32Array.from({ length: dictionaries.target.size }, (_, id) => id),
    counts: new Int32Array(dictionaries.source.size),
    targets: new Int32Array(0),
  });
  writeShortlist(at('whole'), whole, dictionaries);
  assert.equal(done(translate('--shortlist', 'whole')).stdout, done(translate()).stdout);
});

test('export to CTranslate2 carries it as vmap.txt', () => {
  const shortlist = ['--shortlist', 'run/shortlist.safetensors'];
  done(run('export', 'run', '-f', 'ctranslate2', '-o', 'ct2', ...shortlist));
  const [everywhere, ...lines] = fs.readFileSync(at('ct2/vmap.txt'), 'utf8').trimEnd().split('\n');
  const vocabulary = new Set(JSON.parse(fs.readFileSync(at('ct2/shared_vocabulary.json'), 'utf8')));
  assert.match(everywhere, /^\t<s> <blank> <\/s> <unk> /);
  assert.ok(lines.length > 0, 'no source piece has any');
  for (const line of [everywhere, ...lines]) {
    const [, pieces] = line.split('\t');
    for (const piece of pieces.split(' ')) assert.ok(vocabulary.has(piece), line);
  }
  done(run('export', 'run', '-f', 'ctranslate2', '-o', 'ct2-plain'));
  assert.ok(!fs.existsSync(at('ct2-plain/vmap.txt')));
  refused(run('export', 'run', '-f', 'onnx', '-o', 'no', ...shortlist), /--shortlist, which is for export/);
  refused(run('export', 'run', '--precision', 'int8', '-o', 'no', ...shortlist), /--shortlist, which is for/);
  refused(run('export', 'run', '-f', 'ctranslate2', '-o', 'no', '--shortlist', 'none'), /none: no such file/);
  assert.ok(!fs.existsSync(at('no')));
});

test('the key of the config; training and its validation take no notice of it', () => {
  const keys = ['--set', 'decode.shortlist=none', '--save-dir', 'keyed', '--eval-bleu'];
  done(run('train', 'config.yaml', ...keys));
  refused(run('translate', 'keyed', '--input', 'valid.toa'), /none: no such file or directory/);
});

describe('refused, with nothing written', () => {
  test('a shortlist that is missing, none, damaged, or of another vocabulary', () => {
    refused(translate('--shortlist', 'nope'), /^error: nope: no such file or directory/m);
    refused(translate('--shortlist', 'valid.toa'), /^error: valid\.toa: expected a safetensors file: /m);
    const weights = 'run/checkpoint_last/model.safetensors';
    refused(translate('--shortlist', weights), /model\.safetensors: expected a shortlist, found a safe/);
    const bytes = fs.readFileSync(at('run/shortlist.safetensors'));
    bytes[bytes.length - 1] ^= 1;
    fs.writeFileSync(at('damaged'), bytes);
    refused(
      translate('--shortlist', 'damaged'),
      /^error: damaged: the file is not as it was written: its content does not fit its checksum\n {2}Make it again with `admin-nmt shortlist`\.$/m,
    );
    const other = [
      '--save-dir',
      'other-run',
      '--destdir',
      'other-bin',
      '--set',
      'data.tokenizer.vocab-size=60',
    ];
    done(run('train', 'config.yaml', ...other));
    done(run('shortlist', 'other-run'));
    refused(
      translate('--shortlist', 'other-run/shortlist.safetensors'),
      /^error: other-run\/shortlist\.safetensors: expected a shortlist for the source dictionary of the model, of \d+ symbols \(SHA-256 [0-9a-f]{8}…\), found one for another/m,
    );
    // The dataset of one run is not that of the other.
    refused(
      run('shortlist', 'run', '--destdir', 'other-bin', '-o', 'never'),
      /^error: other-bin\/dict\.toa\.txt: expected the dictionary of the run, of \d+ symbols, found another one of 64\n {2}Give the dataset that the run was trained on with --destdir\.$/m,
    );
    assert.ok(!fs.existsSync(at('never')));
  });

  test('no run, no dataset, numbers that are none', () => {
    refused(run('shortlist', 'nope'), /^error: nope: no such run directory/m);
    refused(
      run('shortlist', 'run', '--destdir', 'gone'),
      /^error: gone: no such folder: it is the dataset .*\n {2}Give the folder where it is now with --destdir/m,
    );
    refused(run('shortlist', 'run', '--best', '0'), /--best <n>.*Expected a whole number from 1/);
    refused(run('shortlist', 'run', '--first', '-1'), /--first <n>.*Expected a whole number from 0/);
    refused(run('shortlist', 'run', 'file'), /Did you mean --output file\?/);
  });
});

test('check looks at the shortlist of a run', () => {
  const { stdout } = done(run('check', 'run'));
  assert.match(stdout, /^ok +run\/shortlist\.safetensors: \d+ target pieces for \d+ source pieces$/m);
  fs.copyFileSync(at('damaged'), at('run/shortlist.safetensors'));
  const { status, stdout: found } = run('check', 'run');
  assert.equal(status, 2);
  assert.match(found, /^damaged +run\/shortlist\.safetensors: .*does not fit its checksum/m);
});
