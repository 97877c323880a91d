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

test("import from 'admin-nmt'", () => {
  const program = `
    import { initBackend, pack, Transformer, loadConfig, IncrementalDecoder, beamSearch } from 'admin-nmt';
    await initBackend('cpu');
    const { config } = loadConfig({ sets: ['model.embed-dim=8', 'model.ffn-embed-dim=8', 'model.attention-heads=2'] });
    const model = Transformer.create(config.model, { source: 16, target: 16 }, 1);
    const options = { ...config.decode, maxPositions: config.model.maxPositions };
    const [[best]] = beamSearch(new IncrementalDecoder(model), pack([[5, 6, 2]]), options);
    console.log(best.tokens.at(-1));
    process.exit();`;
  assert.equal(run(program), '2');
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
