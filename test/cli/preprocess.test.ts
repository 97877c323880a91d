import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import process from 'node:process';
import { after, test } from 'node:test';
import { packageRoot } from '../../src/common/files.js';
import { Dictionary } from '../../src/data/dictionary.js';
import { readManifest } from '../../src/data/manifest.js';
import { ParallelDataset } from '../../src/data/parallel-dataset.js';
import { makeToyPairs } from '../../src/data/toy-language.js';
import { Tokenizer } from '../../src/tokenizer/index.js';
import { mainFile, runModule, runProgram } from './run-program.js';

const CONFIG = `
data: { source-lang: toa, target-lang: tob, train: train, valid: valid, destdir: data-bin,
        tokenizer: { vocab-size: 120 } }
`;

/** A folder with a toy corpus and a config. */
function workspace(pairs = 300): string {
  const folder = fs.mkdtempSync(path.join(tmpdir(), 'preprocess-'));
  after(() => fs.rmSync(folder, { recursive: true, force: true }));
  const all = makeToyPairs(pairs + 20, 1);
  for (const [split, part] of [
    ['valid', all.slice(0, 20)],
    ['train', all.slice(20)],
  ] as const) {
    const lines = (side: 'source' | 'target'): string => part.map((pair) => `${pair[side]}\n`).join('');
    fs.writeFileSync(path.join(folder, `${split}.toa`), lines('source'));
    fs.writeFileSync(path.join(folder, `${split}.tob`), lines('target'));
  }
  fs.writeFileSync(path.join(folder, 'toy.yaml'), CONFIG);
  return folder;
}

/** Runs the command. @returns its messages */
function preprocess(cwd: string, ...flags: string[]): string {
  const { status, stdout, stderr } = runProgram(['preprocess', 'toy.yaml', ...flags], { cwd });
  assert.equal(status, 0, stderr);
  assert.equal(stdout, '', 'messages are for stderr');
  return stderr;
}

/** Runs ensureDataset as train does. */
function ensure(folder: string, ...sets: string[]): { status: number | null; stderr: string } {
  const load = new URL('../../src/config/load.js', import.meta.url).href;
  const command = new URL('../../src/workflows/preprocess/preprocess.js', import.meta.url).href;
  const exit = new URL('../../src/cli/exit.js', import.meta.url).href;
  return runModule(`
    import { loadConfig } from ${JSON.stringify(load)};
    import { ensureDataset } from ${JSON.stringify(command)};
    import { runToExit } from ${JSON.stringify(exit)};
    process.chdir(${JSON.stringify(folder)});
    const { config } = loadConfig({ files: ['toy.yaml'], sets: ${JSON.stringify(sets)} });
    await runToExit(() => ensureDataset(config));`);
}

function linesOf(folder: string, name: string): string[] {
  return fs.readFileSync(path.join(folder, name), 'utf8').trimEnd().split('\n');
}

/** The text of a side again, from ids by the dictionary and the tokenizer. */
function decode(folder: string, split: string, side: 'source' | 'target', model: string): string[] {
  const destdir = path.join(folder, 'data-bin');
  const dictionary = Dictionary.load(path.join(destdir, `dict.${side === 'source' ? 'toa' : 'tob'}.txt`));
  const tokenizer = Tokenizer.load(path.join(destdir, model));
  const dataset = ParallelDataset.open(destdir, split, 'toa', 'tob');
  const lines = Array.from({ length: dataset.size }, (_, i) =>
    tokenizer.decode(Array.from(dataset.pair(i)[side].slice(0, -1), (id) => dictionary.symbolOf(id))),
  );
  dataset.close();
  return lines;
}

test('text becomes a dataset that gives the text again', () => {
  const folder = workspace();
  const messages = preprocess(folder);
  assert.match(messages, /train: 300 pairs\n {2}toa: \d+ tokens, .*; 0\.00 % <unk>/);
  assert.match(messages, /valid: 20 pairs/);
  assert.match(messages, /dictionary of both languages: \d+ symbols/);
  assert.deepEqual(fs.readdirSync(path.join(folder, 'data-bin')), [
    'dict.toa.txt',
    'dict.tob.txt',
    'manifest.json',
    'tokenizer.model',
    ...['train', 'valid'].flatMap((split) =>
      ['toa', 'tob'].flatMap((lang) => ['bin', 'idx'].map((end) => `${split}.toa-tob.${lang}.${end}`)),
    ),
  ]);
  for (const split of ['train', 'valid']) {
    assert.deepEqual(decode(folder, split, 'source', 'tokenizer.model'), linesOf(folder, `${split}.toa`));
    assert.deepEqual(decode(folder, split, 'target', 'tokenizer.model'), linesOf(folder, `${split}.tob`));
  }
  // Every normal piece has its place, also where the training text has none of it: BPE-dropout makes them.
  const dictionary = Dictionary.load(path.join(folder, 'data-bin', 'dict.toa.txt'));
  assert.equal(dictionary.size, Dictionary.sizeFor(120 - 3));
});

test('a tokenizer for each language', () => {
  const folder = workspace();
  const apart = ['--set', 'data.tokenizer.joint=false', '--set', 'model.share-embeddings=none'];
  preprocess(folder, ...apart, '--vocab-size', '60');
  assert.deepEqual(decode(folder, 'train', 'source', 'tokenizer.toa.model'), linesOf(folder, 'train.toa'));
  assert.deepEqual(decode(folder, 'valid', 'target', 'tokenizer.tob.model'), linesOf(folder, 'valid.tob'));
});

test('made once, made again for a reason, or when asked to', () => {
  const folder = workspace();
  const manifest = path.join(folder, 'data-bin', 'manifest.json');
  assert.match(preprocess(folder), /Making data-bin: there is none yet/);
  const first = fs.statSync(manifest).ino;
  assert.match(preprocess(folder), /data-bin is up to date; --overwrite/);
  assert.equal(fs.statSync(manifest).ino, first);
  assert.match(preprocess(folder, '--overwrite'), /to be overwritten/);
  assert.match(preprocess(folder, '--vocab-size', '110'), /config has changed/);
  assert.equal(Dictionary.load(path.join(folder, 'data-bin', 'dict.toa.txt')).size, Dictionary.sizeFor(107));
  preprocess(folder);
  fs.appendFileSync(path.join(folder, 'train.toa'), 'mira\n');
  fs.appendFileSync(path.join(folder, 'train.tob'), 'soluf\n');
  assert.match(preprocess(folder), /train\.toa has changed/);
  fs.rmSync(path.join(folder, 'data-bin', 'dict.tob.txt'));
  assert.match(preprocess(folder), /dict\.tob\.txt is missing/);
  fs.appendFileSync(path.join(folder, 'toy.yaml'), 'train: { lr: 0.1 }\nmodel: { dropout: 0 }\nseed: 3\n');
  assert.match(preprocess(folder), /up to date/);
});

test('an existing .model is used and copied', () => {
  const folder = workspace();
  preprocess(folder);
  const model = fs.readFileSync(path.join(folder, 'data-bin', 'tokenizer.model'));
  fs.writeFileSync(path.join(folder, 'my.model'), model);
  const flags = ['--set', 'data.tokenizer.model=my.model', '--destdir', 'other'];
  preprocess(folder, ...flags);
  assert.deepEqual(fs.readFileSync(path.join(folder, 'other', 'tokenizer.model')), model);
  for (const name of ['train.toa-tob.toa.bin', 'valid.toa-tob.tob.bin', 'dict.toa.txt']) {
    const [first, second] = ['data-bin', 'other'].map((destdir) =>
      fs.readFileSync(path.join(folder, destdir, name)),
    );
    assert.deepEqual(first, second, name);
  }
  // What its own training would have been does not matter, what it is does.
  assert.match(preprocess(folder, ...flags, '--vocab-size', '90'), /up to date/);
  assert.equal(readManifest(path.join(folder, 'other')).inputs.at(-1)?.role, 'tokenizer');
});

test('missing text is refused by key, all of it at once', () => {
  const folder = workspace();
  const run = (...flags: string[]) => {
    const outcome = runProgram(['preprocess', 'toy.yaml', ...flags], { cwd: folder });
    assert.equal(outcome.status, 2, outcome.stderr);
    assert.ok(!fs.existsSync(path.join(folder, 'data-bin')));
    return outcome.stderr;
  };
  const both = run('--trainpref', 'nowhere', '--testpref', 'nothing.tsv');
  assert.match(both, /nowhere\.toa: data\.train: no such file/);
  assert.match(both, /nothing\.tsv: data\.test: no such file/);
  assert.match(run('--set', 'data.train=null'), /data\.train: expected the training text/);
});

test('a data-bin of fairseq is checked and left as it is', () => {
  const folder = workspace();
  const fixture = path.join(packageRoot(), 'test/data/fixtures/apart');
  fs.cpSync(fixture, path.join(folder, 'data-bin'), { recursive: true });
  const flags = ['--set', 'data.prepared=true', '--source-lang', 'en', '--target-lang', 'it'];
  const share = ['--set', 'model.share-embeddings=none'];
  assert.match(preprocess(folder, ...flags, ...share), /train with 6 pairs.*dictionary of it: 24 symbols/s);
  assert.deepEqual(fs.readdirSync(path.join(folder, 'data-bin')), fs.readdirSync(fixture));
  // Without the key it is a folder of others that would be replaced.
  const refused = runProgram(['preprocess', 'toy.yaml'], { cwd: folder });
  assert.equal(refused.status, 2);
  assert.match(refused.stderr, /data-bin: .*manifest\.json.*data\.prepared/s);
  fs.truncateSync(path.join(folder, 'data-bin', 'valid.en-it.it.bin'), 3);
  const damaged = runProgram(['preprocess', 'toy.yaml', ...flags, ...share], { cwd: folder });
  assert.equal(damaged.status, 2);
  assert.match(damaged.stderr, /valid\.en-it\.it\.bin/);
});

test('ensureDataset makes what is missing and takes what is there without its text', () => {
  const folder = workspace();
  assert.match(ensure(folder).stderr, /there is none yet/);
  assert.equal(ensure(folder).stderr, '');
  for (const name of ['train.toa', 'valid.tob']) fs.rmSync(path.join(folder, name));
  assert.match(ensure(folder).stderr, /used as it is/);
  const other = ensure(folder, 'data.tokenizer.vocab-size=90');
  assert.equal(other.status, 2);
  assert.match(other.stderr, /train\.toa: data\.train: no such file/);
});

test('tokenizers and dictionaries of another dataset are used as they are, one for each language too', () => {
  const folder = workspace();
  const apart = ['--no-joint', '--set', 'model.share-embeddings=none'];
  preprocess(folder, ...apart);
  const text = (name: string): string => fs.readFileSync(path.join(folder, name), 'utf8');
  for (const language of ['toa', 'tob']) {
    const lines = text(`train.${language}`).split('\n').slice(0, 50);
    fs.writeFileSync(path.join(folder, `few.${language}`), `${lines.join('\n')}\n`);
  }
  const few = ['--trainpref', 'few', '--destdir', 'few-bin', '--vocabulary-from', 'data-bin', ...apart];
  preprocess(folder, ...few);
  for (const name of ['dict.toa.txt', 'dict.tob.txt', 'tokenizer.toa.model', 'tokenizer.tob.model'])
    assert.equal(text(`few-bin/${name}`), text(`data-bin/${name}`), name);
  const [first, again] = ['data-bin', 'few-bin'].map((place) => {
    const dataset = ParallelDataset.open(path.join(folder, place), 'train', 'toa', 'tob');
    const pairs = Array.from({ length: 50 }, (_, i) => dataset.pair(i));
    dataset.close();
    return pairs;
  });
  assert.deepEqual(again, first);
  assert.match(preprocess(folder, ...few), /up to date/);
  fs.appendFileSync(path.join(folder, 'data-bin', 'dict.tob.txt'), 'more 1\n');
  const altered = runProgram(['preprocess', 'toy.yaml', ...few], { cwd: folder });
  assert.equal(altered.status, 2);
  assert.match(altered.stderr, /data-bin\/dict\.tob\.txt: the file is not as it was written/);
  preprocess(folder, ...apart, '--vocab-size', '90');
  assert.match(preprocess(folder, ...few), /data-bin\/.* has changed since/);
  const { dictionaries } = readManifest(path.join(folder, 'few-bin'));
  assert.equal(dictionaries.tob.size, Dictionary.load(path.join(folder, 'data-bin', 'dict.tob.txt')).size);
  for (const name of ['toa', 'tob']) fs.rmSync(path.join(folder, 'data-bin', `tokenizer.${name}.model`));
  const refused = runProgram(['preprocess', 'toy.yaml', ...few], { cwd: folder });
  assert.equal(refused.status, 2);
  assert.match(refused.stderr, /data-bin: data\.vocabulary-from: expected a tokenizer of toa, found none/);
  assert.match(
    preprocess(folder, ...few, '--tokenizer-model', 'few-bin/tokenizer.toa.model'),
    /Making few-bin/,
  );
});

test('an interrupt leaves nothing behind and exits with 130', async () => {
  const folder = workspace();
  const text = fs.readFileSync(path.join(folder, 'train.toa'), 'utf8').repeat(2000);
  for (const language of ['toa', 'tob']) fs.writeFileSync(path.join(folder, `train.${language}`), text);
  const before = fs.readdirSync(folder);
  const child = spawn(process.execPath, [mainFile, 'preprocess', 'toy.yaml'], { cwd: folder });
  let messages = '';
  child.stderr.on('data', (chunk) => {
    messages += chunk;
    // A second signal would not wait for the tidying up.
    if (/pairs/.test(messages) && !child.killed) child.kill('SIGINT');
  });
  const [code] = await once(child, 'close');
  assert.equal(code, 130, messages);
  assert.match(messages, /Interrupted/);
  assert.deepEqual(fs.readdirSync(folder), before);
});

test('tags of corpora and symbols of the user are pieces of the tokenizer that is trained', () => {
  const folder = workspace(60);
  const list = 'data.train=[{path: train, tag: <2b>}, {name: again, path: train, tag: <BT>}]';
  const flags = ['--set', list, '--user-defined-symbols', '<x>,<2b>', '--control-symbols', '<ctl>'];
  preprocess(folder, ...flags, '--set', 'data.valid-tag=<2b>');
  const destdir = path.join(folder, 'data-bin');
  const { pieces } = Tokenizer.load(path.join(destdir, 'tokenizer.model'));
  assert.deepEqual(
    pieces.slice(3, 8).map(({ piece, type }) => `${piece} ${type}`),
    [
      '<ctl> control',
      '<x> user-defined',
      '<2b> user-defined',
      '<BT> user-defined',
      pieces[7].piece + ' normal',
    ],
  );
  const counts = linesOf(folder, 'data-bin/dict.toa.txt').filter((line) => line.startsWith('<'));
  assert.deepEqual(counts.sort(), ['<2b> 60', '<BT> 60', '<x> 0']);
  const dictionary = Dictionary.load(path.join(destdir, 'dict.toa.txt'));
  const firsts = ['train', 'train1', 'valid'].map((split) => {
    const dataset = ParallelDataset.open(destdir, split, 'toa', 'tob');
    const first = dictionary.symbolOf(dataset.pair(0).source[0]);
    dataset.close();
    return first;
  });
  assert.deepEqual(firsts, ['<2b>', '<BT>', '<2b>']);
  for (const [more, message] of [
    [['--control-symbols', '<BT>'], /tag of the corpus 'again' must be one piece.*control symbol is none/s],
    [['--user-defined-symbols', '<s>'], /not there yet, found '<s>'/],
    [
      ['--tokenizer-model', 'data-bin/tokenizer.model', '--set', 'data.valid-tag=<2x>'],
      /data\.valid-tag must/,
    ],
  ] as const) {
    const given = ['preprocess', 'toy.yaml', '--set', list, '--destdir', 'other', ...more];
    const { status, stderr } = runProgram(given, { cwd: folder });
    assert.equal(status, 2);
    assert.match(stderr, message);
    assert.equal(fs.existsSync(path.join(folder, 'other')), false);
  }
});

test('--append keeps tokenizer and dictionaries, and encodes what is new', () => {
  const folder = workspace(120);
  for (const side of ['toa', 'tob']) {
    fs.copyFileSync(path.join(folder, `valid.${side}`), path.join(folder, `more.${side}`));
  }
  const read = (destdir: string, name: string) => fs.readFileSync(path.join(folder, destdir, name));
  const refused = (message: RegExp, ...flags: string[]): void => {
    const { status, stderr } = runProgram(['preprocess', 'toy.yaml', ...flags], { cwd: folder });
    assert.deepEqual([status, message.test(stderr)], [2, true], stderr);
  };
  refused(/expected a dataset to append to, found none/, '--append');
  preprocess(folder);
  fs.cpSync(path.join(folder, 'data-bin'), path.join(folder, 'old'), { recursive: true });
  const list = ['--trainpref', '[train, more]'];
  refused(/expected one of them, found both/, '--append', '--overwrite');
  refused(/dataset of admin-nmt to append to, found data\.prepared/, '--append', '--prepared');
  refused(/dataset of admin-nmt to overwrite, found data\.prepared/, '--overwrite', '--prepared');
  refused(/data\.tokenizer as it was made with/, '--append', ...list, '--vocab-size', '130');
  const messages = preprocess(folder, '--append', ...list);
  assert.match(messages, /^train: its 120 pairs are taken over/m);
  assert.match(messages, /^valid: its 20 pairs are taken over/m);
  assert.doesNotMatch(messages, /^more: its/m);
  preprocess(folder, ...list, '--vocabulary-from', 'old', '--destdir', 'scratch');
  const { files } = readManifest(path.join(folder, 'scratch'));
  assert.deepEqual(readManifest(path.join(folder, 'data-bin')).files, files);
  for (const name of files.filter((file) => file !== 'manifest.json')) {
    assert.ok(read('data-bin', name).equals(read('scratch', name)), name);
  }
  assert.match(preprocess(folder, ...list), /up to date/);
  assert.match(preprocess(folder, '--append', ...list), /up to date/);
  // Without it the tokenizer is that of all text.
  preprocess(folder, '--trainpref', '[train, more, more]'.replace(', more]', ', {name: again, path: more}]'));
  assert.ok(!read('data-bin', 'tokenizer.model').equals(read('old', 'tokenizer.model')));
});

test('rules of the user are part of the tokenizer, and what they say of the dataset', () => {
  const folder = workspace(60);
  const rules = (text: string) => fs.writeFileSync(path.join(folder, 'rules.tsv'), text);
  const flags = ['--normalization-rules', 'rules.tsv'];
  rules('61\t62\n');
  preprocess(folder, ...flags);
  const tokenizer = Tokenizer.load(path.join(folder, 'data-bin', 'tokenizer.model'));
  assert.equal(tokenizer.decode(tokenizer.encode('ata')), 'btb');
  assert.match(preprocess(folder, ...flags), /up to date/);
  rules('61\t65\n');
  assert.match(preprocess(folder, ...flags), /has changed/);
  rules('61 x\n');
  const { status, stderr } = runProgram(['preprocess', 'toy.yaml', ...flags], { cwd: folder });
  assert.deepEqual([status, /rules\.tsv:1: expected a normalisation rule/.test(stderr)], [2, true], stderr);
});
