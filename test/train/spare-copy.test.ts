import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { before, describe, test } from 'node:test';
import { DeviceError } from '../../src/common/errors.js';
import { BACKENDS, readMetrics, readTensors, scratchFolder, trainTiny, useBackend } from './tiny.js';

const UPDATES = {
  ...{ maxUpdate: 8, saveIntervalUpdates: 2, logInterval: 3, keepLast: 0 },
  ...{ saveInterval: 0, validateInterval: 0 },
};

/** A device that fails in its update number `update`. */
function failing(update: number) {
  let updates = 0;
  return {
    isVolatile: true,
    allReduce: <T>(own: T): T => {
      if (++updates === update)
        throw new DeviceError({ problem: 'the card is gone', where: 'backend', hint: 'Look at it.' });
      return own;
    },
  };
}

const lastOf = (folder: string): string => fs.readlinkSync(path.join(folder, 'checkpoint_last'));

describe('a training whose device is lost', () => {
  before(() => useBackend(BACKENDS[0]));

  test('what was copied last is written, and training goes on from there to the same bits', async () => {
    const [whole, parts] = [scratchFolder(), scratchFolder()];
    await trainTiny(whole, { train: UPDATES });
    const saved = { ...UPDATES, saveIntervalUpdates: 0, rescueInterval: 1e-6 };
    const error = await trainTiny(parts, { train: saved, options: failing(6) }).catch((thrown) => thrown);
    assert.ok(error instanceof DeviceError);
    // How many depends on how long a copy takes.
    const [, first] =
      /the card is gone\n {2}The first ([1-5]) of 5 updates are saved\. Look at it/.exec(error.message) ?? [];
    assert.equal(lastOf(parts).split('_').at(-1), first);
    await trainTiny(parts, { train: saved });
    assert.deepEqual(
      readTensors(path.join(parts, 'checkpoint_last')),
      readTensors(path.join(whole, 'checkpoint_last')),
    );
    assert.deepEqual(readMetrics(parts), readMetrics(whole));
  });

  test('a checkpoint that is newer than the copy stays the last one; without copies so it does', async () => {
    for (const rescueInterval of [1e-6, 3600, 0]) {
      const folder = scratchFolder();
      await assert.rejects(
        trainTiny(folder, { train: { ...UPDATES, rescueInterval }, options: failing(5) }),
        (error) => error instanceof DeviceError && /The first 4 of 4 updates/.test(error.message),
      );
      assert.match(lastOf(folder), /_4$/);
    }
  });

  test('before anything was saved the error says so', async () => {
    await assert.rejects(
      trainTiny(scratchFolder(), { train: { ...UPDATES, rescueInterval: 3600 }, options: failing(1) }),
      /No update is saved\. Look at it/,
    );
  });

  test('other errors write nothing', async () => {
    const folder = scratchFolder();
    const allReduce = (): never => {
      throw new Error('a bug');
    };
    await assert.rejects(
      trainTiny(folder, { train: UPDATES, options: { isVolatile: true, allReduce } }),
      /a bug/,
    );
    assert.equal(fs.existsSync(path.join(folder, 'checkpoint_last')), false);
  });

  test('a device that cannot be lost is not copied', async () => {
    const folder = scratchFolder();
    const train = { ...UPDATES, saveIntervalUpdates: 0, rescueInterval: 1e-6 };
    await assert.rejects(
      trainTiny(folder, { train, options: { ...failing(6), isVolatile: false } }),
      /No update is saved/,
    );
    assert.equal(fs.existsSync(path.join(folder, 'checkpoint_last')), false);
  });
});
