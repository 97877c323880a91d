import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { after, test } from 'node:test';
import { runCommandLine } from '../../src/cli/program.js';
import { UserError } from '../../src/common/errors.js';
import { packageRoot } from '../../src/common/files.js';
import { loadConfig } from '../../src/config/load.js';
import { runDemo } from '../../src/workflows/demo.js';

const scratch = mkdtempSync(path.join(tmpdir(), 'admin-nmt-demo-'));
after(() => rmSync(scratch, { recursive: true }));
const at = (...names: string[]): string => path.join(scratch, ...names);

/** What makes the training a matter of seconds. */
const FLAGS = [
  ...[
    '--set',
    'data.tokenizer.vocab-size=200',
    '--set',
    'model={embed-dim: 8, ffn-embed-dim: 8, attention-heads: 1}',
  ],
  ...['--set', 'model.encoder.layers=1', '--set', 'model.decoder.layers=1'],
  ...['--set', 'train={max-update: 2, max-epoch: null}'],
];

test('from nothing to translations, and once more; its own folder alone', async () => {
  const folder = at('the demo: 1'); // a name that YAML needs quotes for
  const commands: string[] = [];
  const run = (args: readonly string[]) => {
    commands.push(args[0]);
    return runCommandLine(args);
  };
  const demo = () => runDemo(folder, run, { flags: FLAGS, leastBleu: 0 });
  await demo();
  assert.deepEqual(commands, ['demo', 'preprocess', 'profile', 'train', 'translate', 'score']);
  assert.equal(readFileSync(path.join(folder, 'test.hyp'), 'utf8').split('\n').length, 301);
  const checkpoints = () =>
    readdirSync(path.join(folder, 'run')).filter((name) => name.startsWith('checkpoint_'));
  const before = checkpoints();
  await demo();
  assert.deepEqual(checkpoints(), before);
});

test('what a working installation reaches is asked of this one, too', async () => {
  const run = async (args: readonly string[]): Promise<void> => {
    if (args[0] === 'demo') await runCommandLine(args);
    if (args[0] === 'translate') writeFileSync(at('low', 'test.hyp'), 'x\n'.repeat(300));
  };
  await assert.rejects(runDemo(at('low'), run), (error: Error) => {
    return !(error instanceof UserError) && /expected a BLEU of at least 90/.test(error.message);
  });
});

test('a folder of something else is left alone', async () => {
  const file = at('mine.txt');
  writeFileSync(file, 'mine');
  await assert.rejects(runCommandLine(['demo', '--output', scratch]), /found something in the way/);
  assert.equal(existsSync(at('toy.yaml')), false);
});

test('its config is configs/toy.yaml, in another folder', () => {
  const [made, packed] = [at('low/toy.yaml'), path.join(packageRoot(), 'configs/toy.yaml')].map(
    (file) => loadConfig({ files: [file] }).config,
  );
  const moved = (place: string): string => path.join(scratch, place.replace('admin-nmt-demo', 'low'));
  assert.deepEqual(made, {
    ...packed,
    data: { ...packed.data, root: moved(packed.data.root), destdir: moved(packed.data.destdir) },
    train: { ...packed.train, saveDir: moved(packed.train.saveDir) },
  });
});
