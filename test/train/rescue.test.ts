import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { before, test } from 'node:test';
import { DamageError, UserError } from '../../src/common/errors.js';
import { readCheckpoint } from '../../src/train/checkpoint.js';
import { readLastIntact } from '../../src/train/rescue.js';
import {
  ORIGIN,
  readTensors,
  scratchFolder,
  tensorsLeft,
  tinyModelConfig,
  trainTiny,
  useBackend,
  VOCABULARY,
} from './tiny.js';

const SETTINGS = { maxUpdate: 8, saveIntervalUpdates: 2, keepLast: 0 };
/** A run with checkpoints after 2, 4, 6 and 8 updates, made once. */
const trained = scratchFolder();

before(async () => {
  await useBackend('cpu');
  await trainTiny(trained, { train: SETTINGS });
});

function workspace(): string {
  const folder = scratchFolder();
  fs.cpSync(trained, folder, { recursive: true, verbatimSymlinks: true });
  return folder;
}

const read = (folder: string) => readCheckpoint(folder, tinyModelConfig(), VOCABULARY, ORIGIN);
const numbered = (folder: string): string[] =>
  fs.readdirSync(folder).filter((name) => /^checkpoint_\d/.test(name));
const at = (folder: string, updates: number): string =>
  path.join(folder, numbered(folder).find((name) => name.endsWith(`_${updates}`))!);

/** Goes on from a run. @returns the updates of the checkpoint that was taken */
function goOn(folder: string): number {
  const { restored } = readLastIntact(folder, read);
  restored.model.dispose();
  for (const moment of [...restored.moments.first, ...restored.moments.second]) moment.dispose();
  return restored.state.updates;
}

const DAMAGES: [name: string, damage: (file: string) => void][] = [
  ['gone', (file) => fs.rmSync(file)],
  ['cut short', (file) => fs.truncateSync(file, fs.statSync(file).size - 1)],
  [
    'one bit',
    (file) => {
      const bytes = fs.readFileSync(file);
      bytes[bytes.length >> 1] ^= 4;
      fs.writeFileSync(file, bytes);
    },
  ],
];

test('an intact last checkpoint is taken, and nothing changes', () => {
  const folder = workspace();
  assert.equal(goOn(folder), 8);
  assert.deepEqual(fs.readdirSync(folder), fs.readdirSync(trained));
});

for (const [name, damage] of DAMAGES) {
  test(`a file of the last checkpoint is ${name}: the one before it is taken`, async () => {
    for (const file of ['state.json', 'model.safetensors', 'optimizer.safetensors']) {
      const folder = workspace();
      damage(path.join(at(folder, 8), file));
      assert.equal(await tensorsLeft(async () => assert.equal(goOn(folder), 6)), 0);
      assert.equal(fs.realpathSync(path.join(folder, 'checkpoint_last')), fs.realpathSync(at(folder, 6)));
      assert.ok(fs.readdirSync(folder).some((entry) => /^damaged_checkpoint_\d+_8$/.test(entry)));
      assert.ok(
        fs.existsSync(path.join(folder, 'checkpoint_best', 'model.safetensors')) ||
          !fs.existsSync(path.join(folder, 'checkpoint_best')),
      );
      assert.equal(goOn(folder), 6);
    }
  });
}

test('several are damaged, a folder is gone, the link is gone', () => {
  const folder = workspace();
  fs.rmSync(at(folder, 8), { recursive: true });
  fs.truncateSync(path.join(at(folder, 6), 'state.json'), 3);
  fs.rmSync(path.join(at(folder, 4), 'model.safetensors'));
  assert.equal(goOn(folder), 2);
  const other = workspace();
  fs.rmSync(path.join(other, 'checkpoint_last'));
  assert.equal(goOn(other), 8);
});

test('training that went back makes the same again', async () => {
  const folder = workspace();
  fs.truncateSync(path.join(at(folder, 8), 'model.safetensors'), 100);
  assert.equal(goOn(folder), 6);
  await trainTiny(folder, { train: SETTINGS });
  assert.deepEqual(readTensors(at(folder, 8)), readTensors(at(trained, 8)));
});

test('none is whole: refused, naming all and what to do; nothing is moved', () => {
  const folder = workspace();
  for (const name of numbered(folder)) fs.truncateSync(path.join(folder, name, 'model.safetensors'), 10);
  assert.throws(
    () => goOn(folder),
    (error) => error instanceof UserError && error.complaints.length === 4 && /--restart/.test(error.message),
  );
  assert.equal(numbered(folder).length, 4);
});

test('what is not damage is refused as before', () => {
  const folder = workspace();
  const other = (place: string) =>
    readCheckpoint(place, tinyModelConfig(), VOCABULARY, { ...ORIGIN, settings: { seed: 2 } });
  assert.throws(
    () => readLastIntact(folder, other),
    (error) =>
      error instanceof UserError && !(error instanceof DamageError) && /seed 1, found 2/.test(error.message),
  );
});
