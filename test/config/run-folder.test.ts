import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { after, describe, test } from 'node:test';
import { UserError } from '../../src/common/errors.js';
import { checkRunDirectory, findRun, kindOfFolder } from '../../src/config/run-folder.js';

const folder = mkdtempSync(path.join(tmpdir(), 'admin-nmt-run-folder-'));
after(() => rmSync(folder, { recursive: true }));
const at = (name: string): string => path.join(folder, name);

/** Writes empty files. */
function make(...names: string[]): void {
  for (const name of names) {
    mkdirSync(path.dirname(at(name)), { recursive: true });
    writeFileSync(at(name), '');
  }
}

make(
  'checkpoints/config.yaml',
  'checkpoints/checkpoint_1_10/model.safetensors',
  'checkpoints/mean/model.safetensors',
);
symlinkSync('checkpoint_1_10', at('checkpoints/checkpoint_last'));
make('checkpoint_last/config.yaml', 'checkpoint_last/checkpoint_1_9/state.json'); // a run of a strange name
make('copied/checkpoint_1_10/model.safetensors', 'lost/checkpoint_1_2/state.json', 'empty/x', 'model.pt');
symlinkSync(at('checkpoints/checkpoint_1_10'), at('link'));
symlinkSync(at('checkpoints'), at('link-to-run'));
symlinkSync(at('copied/checkpoint_1_10'), at('checkpoints/on-another-disk'));

const refused = (call: () => unknown, pattern: RegExp): void =>
  assert.throws(call, (error) => error instanceof UserError && pattern.test(error.message));

describe('a folder is what is in it, whatever it is called', () => {
  test('a run', () => {
    for (const name of ['checkpoints', 'checkpoint_last', 'link-to-run']) {
      assert.equal(kindOfFolder(at(name)), 'run directory');
      assert.deepEqual(findRun(at(name)), { runDirectory: at(name) });
      checkRunDirectory(at(name));
    }
  });

  test('a checkpoint belongs to the run that it is in, through links', () => {
    for (const name of [
      'checkpoints/checkpoint_1_10',
      'checkpoints/checkpoint_last',
      'checkpoints/mean',
      'link',
    ]) {
      assert.equal(kindOfFolder(at(name)), 'checkpoint');
      assert.deepEqual(findRun(at(name)), { runDirectory: at('checkpoints'), checkpoint: at(name) });
      refused(
        () => checkRunDirectory(at(name)),
        /found a checkpoint\n {2}Give the run that it is in: .*checkpoints$/,
      );
    }
    assert.equal(findRun(at('checkpoint_last/checkpoint_1_9/')).runDirectory, at('checkpoint_last'));
  });

  test('a checkpoint that was moved away and linked to belongs to the run with the link', () => {
    assert.equal(findRun(at('checkpoints/on-another-disk')).runDirectory, at('checkpoints'));
  });

  test('the current directory', () => {
    const before = process.cwd();
    process.chdir(at('link'));
    try {
      assert.deepEqual(findRun('.'), { runDirectory: at('checkpoints'), checkpoint: '.' });
    } finally {
      process.chdir(before);
    }
  });
});

test('what is missing is said', () => {
  refused(
    () => findRun(at('copied/checkpoint_1_10')),
    /no config\.yaml in .*copied\n.*--checkpoint .*copied\/checkpoint_1_10$/,
  );
  refused(() => findRun(at('lost')), /lost: expected a run directory, found no config\.yaml in it\n.*a copy/);
  refused(
    () => findRun(at('empty')),
    /empty: expected a run directory, found no config\.yaml in it\n.*admin-nmt runs/,
  );
  refused(() => findRun(at('nowhere')), /no such run directory/);
  refused(() => findRun(at('model.pt')), /found a file\n.*admin-nmt import/);
});
