import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import process from 'node:process';
import { test } from 'node:test';
import { packageRoot } from '../../src/common/files.js';

/** What a program of the user's prints; the package is found by its own name, as an installed one would be. */
function run(program: string): string {
  const args = ['--input-type=module', '--eval', program];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: packageRoot(),
    encoding: 'utf8',
  });
  assert.equal(status, 0, stderr);
  return stdout.trim();
}

test("import from 'admin-nmt': what docs/library.md tells of, and nothing else", () => {
  const names =
    'DivergenceError InterruptedError Translator UserError makeShortlist onMessage preprocess profile score train';
  const program = "import * as all from 'admin-nmt'; console.log(Object.keys(all).sort().join(' '));";
  assert.equal(run(program), names);
});

test("import from 'admin-nmt/sacrebleu' loads no tensors", () => {
  const program = `
    import { corpusBleu } from 'admin-nmt/sacrebleu';
    console.log(corpusBleu(['a b c d e'], [['a b c d f']]).score.toFixed(2));`;
  assert.equal(run(program), '66.87');
});

test("import from 'admin-nmt/tokenizer'", () => {
  const program = `
    import { BpeTrainer } from 'admin-nmt/tokenizer';
    const trainer = new BpeTrainer({ vocabSize: 30 });
    for (let i = 0; i < 9; i++) trainer.add('the cat sat on the mat');
    const tokenizer = trainer.train();
    console.log(tokenizer.decode(tokenizer.encode('the mat')));`;
  assert.equal(run(program), 'the mat');
});
