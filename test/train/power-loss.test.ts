import assert from 'node:assert/strict';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import * as path from 'node:path';
import { before, test } from 'node:test';
import { GrowingSum } from '../../src/common/growing-sum.js';
import { Transformer } from '../../src/model/transformer.js';
import { zeroMoments } from '../../src/ops/optimizer.js';
import { tf } from '../../src/ops/tf.js';
import { copiedValues, imageOf, readCheckpoint } from '../../src/train/checkpoint.js';
import { checkpointName, LAST_CHECKPOINT, recoverCheckpoints } from '../../src/train/checkpoint-folders.js';
import { doCheckpointJob } from '../../src/train/checkpoint-job.js';
import { takeOf } from '../../src/train/checkpoint-ring.js';
import { INITIAL_STATE } from '../../src/train/state.js';
import { ORIGIN, scratchFolder, tinyModelConfig, useBackend, VOCABULARY } from './tiny.js';

/** The calls that change what is on the disk. */
const CALLS = [
  'openSync',
  'writeSync',
  'writeFileSync',
  'fsyncSync',
  'renameSync',
  'symlinkSync',
  'rmSync',
  'mkdirSync',
] as const;

class PowerLoss extends Error {}

/**
 * Does something until the power fails: no call is made after the first so many. Then every file that was written and
 * not synced is empty, as it may be on a real disk.
 *
 * @returns whether the power failed
 */
async function withPowerFor(calls: number, folder: string, work: () => Promise<void>): Promise<boolean> {
  const originals = Object.fromEntries(CALLS.map((name) => [name, fs[name]]));
  const unsynced = new Set<number>();
  let made = 0;
  for (const name of CALLS) {
    const original = fs[name] as (...args: unknown[]) => unknown;
    (fs as unknown as Record<string, unknown>)[name] = (...args: unknown[]): unknown => {
      if (++made > calls) throw new PowerLoss();
      const [first] = args;
      if (name === 'fsyncSync') unsynced.delete(fs.fstatSync(first as number).ino);
      const result = original(...args);
      if (name === 'writeSync') unsynced.add(fs.fstatSync(first as number).ino);
      if (name === 'writeFileSync') {
        unsynced.add((typeof first === 'number' ? fs.fstatSync(first) : fs.statSync(first as string)).ino);
      }
      return result;
    };
  }
  syncBuiltinESMExports();
  try {
    await work();
    return false;
  } catch (error) {
    if (!(error instanceof PowerLoss)) throw error;
    return true;
  } finally {
    Object.assign(fs, originals);
    syncBuiltinESMExports();
    for (const name of fs.readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
      const file = path.join(folder, name);
      const stat = fs.lstatSync(file);
      if (stat.isFile() && unsynced.has(stat.ino)) fs.truncateSync(file, 0);
    }
  }
}

before(() => useBackend('cpu'));

/** Saves as training does. */
async function save(folder: string, updates: number, lr: number): Promise<void> {
  const model = Transformer.create(tinyModelConfig(), VOCABULARY, updates);
  const moments = zeroMoments(model.trainable);
  try {
    const state = { ...INITIAL_STATE, updates };
    const captured = { model, moments, origin: ORIGIN, lr, state };
    const name = checkpointName(1, updates);
    const job = {
      ...imageOf(captured),
      runDirectory: folder,
      name,
      metrics: new GrowingSum().sum,
      bests: [],
      spared: [],
      keep: 1,
    };
    await doCheckpointJob(job, takeOf(await copiedValues(captured)));
  } finally {
    model.dispose();
    tf.dispose([moments.first, moments.second]);
  }
}

for (const [what, updates] of [
  ['a new checkpoint', 2],
  ['a checkpoint in the place of another one', 1],
] as const) {
  test(`the power fails between any two calls while ${what} is saved`, async (t) => {
    const scratch = scratchFolder();
    const seen = { old: 0, new: 0 };
    for (let calls = 0, failed = true; failed; calls++) {
      const folder = path.join(scratch, String(calls));
      fs.mkdirSync(folder);
      await save(folder, 1, 0.25);
      failed = await withPowerFor(calls, folder, () => save(folder, updates, 0.5));
      recoverCheckpoints(folder);
      // Throws for anything but a whole checkpoint.
      const last = path.join(folder, LAST_CHECKPOINT);
      const { model, moments, lr } = readCheckpoint(last, tinyModelConfig(), VOCABULARY, ORIGIN);
      model.dispose();
      tf.dispose([moments.first, moments.second]);
      seen[lr === 0.25 ? 'old' : 'new']++;
      assert.ok(fs.readdirSync(folder).every((name) => !name.startsWith('.checkpoint_1_')));
    }
    t.diagnostic(`${seen.old} times the old one, ${seen.new} times the new one`);
    assert.ok(seen.old > 20 && seen.new > 1);
  });
}
