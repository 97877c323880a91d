import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import * as path from 'node:path';
import process from 'node:process';
import { describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { packageRoot } from '../../src/common/files.js';
import { makeToyPairs } from '../../src/data/toy-language.js';
import { makeArchive, makeStandIns, PAIRS } from './recipe-archives.js';
import { scratchFolder } from './run-folders.js';
import { runProgram } from './run-program.js';

/** The recipes from their archives to a training, on stand-ins: a toy language in the layout of the real archives. */

const recipes = path.join(packageRoot(), 'configs', 'recipes');
const scratch = scratchFolder();
const standIns = path.join(scratch, 'archives');

makeStandIns(standIns);

/** A folder of programs without curl, so that nothing is ever downloaded. */
const noCurl = path.join(scratch, 'bin');
mkdirSync(noCurl);
for (const name of ['tar', 'gzip']) symlinkSync(findProgram(name), path.join(noCurl, name));

function findProgram(name: string): string {
  const folders = (process.env['PATH'] ?? '').split(path.delimiter);
  const found = folders.map((folder) => path.join(folder, name)).find((file) => existsSync(file));
  assert.ok(found !== undefined, `${name} is not installed`);
  return found;
}

function prepare(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [path.join(recipes, 'prepare.mjs'), ...args], {
    encoding: 'utf8',
    cwd: scratch,
    env: { ...process.env, PATH: noCurl },
  });
}

const linesOf = (file: string): string[] =>
  readFileSync(path.join(scratch, file), 'utf8').trimEnd().split('\n');

/** Texts, and the trainings on each of them. */
const RECIPES = {
  'iwslt14-de-en': [['iwslt14-de-en']],
  'wmt14-en-de': [
    ['wmt14-en-de'],
    ['wmt14-en-de', 'wmt14-en-de-12l'],
    ['wmt14-en-de', 'wmt14-en-de-18l'],
    ['wmt14-en-de', 'wmt14-en-de-100l'],
    ['wmt14-en-de', 'wmt14-en-de-60l-12l'],
    ['wmt14-en-de', 'wmt14-en-de-admin-torch'],
  ],
  'wmt14-en-fr': [
    ['wmt14-en-fr'],
    ['wmt14-en-fr', 'wmt14-en-fr-60l-12l'],
    ['wmt14-en-fr', 'wmt14-en-fr-deepnmt'],
  ],
};

for (const [text, trainings] of Object.entries(RECIPES)) {
  describe(text, () => {
    test('is prepared from its archives', () => {
      const { status, stderr } = prepare(text, '--archives', standIns, '--any-archive');
      assert.equal(status, 0, stderr);
      const folder = path.join(scratch, text, 'text');
      assert.deepEqual(
        readdirSync(folder).filter((name) => name.endsWith('.part')),
        [],
      );
      for (const name of readdirSync(folder)) {
        assert.ok(
          linesOf(`${text}/text/${name}`).every((line) => !/[<>«…\u2028]/.test(line)),
          name,
        );
      }
    });

    for (const files of trainings) {
      test(`${files.at(-1)} at its full depth, and narrow, does its updates`, () => {
        const { status, stdout, stderr } = runProgram(
          [
            ...['train', ...files.map((name) => path.join(recipes, `${name}.yaml`)), '--dry-run'],
            ...['--set', 'data.tokenizer.vocab-size=120', '--set', 'train.max-tokens=200'],
            ...['--set', 'train.update-freq=1', '--set', 'model.attention-heads=2'],
            ...['--set', 'model.embed-dim=8', '--set', 'model.ffn-embed-dim=8'],
          ],
          { cwd: scratch },
        );
        assert.equal(status, 0, stderr);
        assert.match(stdout, /^Epoch {5}\d+ updates, \d+ tokens/);
        assert.match(stdout, /^Work .* GFLOP\/s$/m);
      });
    }
  });
}

describe('prepare.mjs', () => {
  test('splits as the official scripts do', () => {
    assert.equal(linesOf('iwslt14-de-en/text/valid.de').length, Math.floor(PAIRS / 23));
    assert.equal(linesOf('iwslt14-de-en/text/train.en').length, PAIRS - Math.floor(PAIRS / 23));
    assert.equal(linesOf('iwslt14-de-en/text/valid.en')[0], makeToyPairs(PAIRS, 1)[22].source);
    assert.equal(linesOf('iwslt14-de-en/text/test.de').length, 5 * 8);
    assert.equal(linesOf('wmt14-en-fr/text/valid.fr').length, 1); // of 2200 pairs
    assert.equal(linesOf('wmt14-en-fr/text/train.fr').length, 4 * PAIRS + 1000 - 1);
    assert.equal(linesOf('wmt14-en-de/text/train.en').length, 3 * PAIRS);
    assert.equal(linesOf('wmt14-en-de/text/newstest2014.en')[0], makeToyPairs(8, 1)[0].source);
  });

  test('lists what it would download', () => {
    const { status, stdout } = prepare('wmt14-en-de', '--list');
    assert.equal(status, 0);
    assert.equal(stdout.trimEnd().split('\n').length, 5);
    assert.match(
      stdout,
      /^http:\/\/www\.statmt\.org\/wmt13\/\S+europarl-v7\.tgz\t657632379\tsha256:[0-9a-f]{64}$/m,
    );
    assert.match(
      prepare('wmt14-en-fr', '--list').stdout,
      /training-parallel-un\.tgz\tsize unknown\tsum unknown/,
    );
  });

  test('refuses an archive that is not the published one, and makes nothing', () => {
    const { status, stderr } = prepare('wmt14-en-de', '--archives', standIns, '--output', 'other');
    assert.equal(status, 2);
    assert.match(stderr, /europarl-v7\.tgz: expected 657632379 bytes, found \d+/);
    assert.match(prepare('iwslt14-de-en', '--archives', standIns).stderr, /expected md5 10936dfd.*found /);
    assert.ok(!existsSync(path.join(scratch, 'other')));
  });

  test('refuses sides of unequal length, and leaves no text', () => {
    const folder = path.join(scratch, 'torn');
    cpSync(standIns, folder, { recursive: true });
    makeArchive(path.join(folder, 'dev.tgz'), {
      'dev/newstest2013.en': 'one\ntwo\n',
      'dev/newstest2013.de': 'one\n',
    });
    const { status, stderr } = prepare(
      'wmt14-en-de',
      '--archives',
      folder,
      '--any-archive',
      '--output',
      'torn-text',
    );
    assert.equal(status, 2);
    assert.match(stderr, /newstest2013\.en: expected as many lines as \S+newstest2013\.de \(1\), found more/);
    assert.deepEqual(readdirSync(path.join(scratch, 'torn-text')), []);
  });

  test('an archive that cannot be had is named, with its address and size', () => {
    const { status, stderr } = prepare('wmt14-en-fr', '--archives', 'nowhere');
    assert.equal(status, 2);
    assert.match(
      stderr,
      /europarl-v7\.tgz: expected an archive \(657632379 bytes\), and could not download it/,
    );
    assert.match(stderr, /Fetch http:\S+europarl-v7\.tgz by other means/);
  });

  test('cleans a line', async () => {
    const { countWords, fits, forms, normalise } = await import(
      pathToFileURL(path.join(recipes, 'clean.mjs')).href
    );
    assert.equal(normalise('„Ja“ – « oui » — l’été… 5 % !\u200b'), '"Ja" - "oui" - l\'été... 5%! ');
    assert.equal(forms.tags('<title>One</title>'), 'One');
    assert.equal(forms.tags('<talkid>1</talkid>'), undefined);
    assert.equal(forms.segments('<seg id="12"> It’s one. </seg>'), "It's one.");
    assert.equal(forms.segments('<doc>'), undefined);
    assert.equal(countWords("It's one, Jürgen."), 7);
    const words = { min: 1, max: 3, ratio: 1.5 };
    assert.ok(fits(['a b c', 'a b'], words));
    assert.ok(!fits(['a b c', 'a'], words));
    assert.ok(!fits(['a b c d', 'a b c d'], words));
    assert.ok(!fits(['', ''], words));
  });

  test('an unknown name is refused with those that there are', () => {
    const { status, stderr } = prepare('wmt15');
    assert.equal(status, 2);
    assert.match(stderr, /found 'wmt15'[\s\S]*iwslt14-de-en, wmt14-en-de, wmt14-en-fr/);
    assert.equal(prepare('wmt14-en-de', '--lst').status, 2);
    assert.equal(prepare('wmt14-en-de', '--archives').status, 2);
  });
});

test('a recipe without its text says how it is made', () => {
  const { status, stderr } = runProgram(['train', path.join(recipes, 'wmt14-en-de.yaml')], {
    cwd: scratchFolder(),
  });
  assert.equal(status, 2);
  assert.match(stderr, /wmt14-en-de\/text\/train\.en: data\.train: no such file[\s\S]*prepare\.mjs/);
});

test('the sweep without warmup has 45 cells', () => {
  const plan = path.join(packageRoot(), 'configs', 'sweeps', 'iwslt14-no-warmup.yaml');
  const { status, stdout, stderr } = runProgram(['sweep', plan, '-o', 'sweep', '--dry-run'], {
    cwd: scratch,
  });
  assert.equal(status, 0, stderr);
  assert.equal(stdout.trimEnd().split('\n').length, 45);
});
