import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import * as path from 'node:path';
import process from 'node:process';
import { after, describe, test } from 'node:test';
import { UserError } from '../../../src/common/errors.js';
import { log } from '../../../src/common/log.js';
import { lockRun } from '../../../src/workflows/runs/lock.js';

log.setQuiet(true);
const folder = fs.mkdtempSync(path.join(tmpdir(), 'admin-nmt-lock-'));
after(() => fs.rmSync(folder, { recursive: true }));
const file = path.join(folder, 'train.lock');

describe('a run directory', () => {
  test('is given to one process at a time, and the other is told which has it', () => {
    const unlock = lockRun(folder);
    assert.throws(
      () => lockRun(folder),
      (error) => {
        assert.ok(error instanceof UserError);
        assert.match(error.message, new RegExp(`is being trained by process ${process.pid} since 20`));
        return true;
      },
    );
    unlock();
    assert.equal(fs.existsSync(file), false);
    lockRun(folder)();
  });

  test('is made where there is none, and removed where nothing has come of it', () => {
    const run = path.join(folder, 'new', 'run');
    const unlock = lockRun(run);
    assert.ok(fs.existsSync(path.join(run, 'train.lock')));
    unlock();
    assert.equal(fs.existsSync(path.dirname(run)), false);
    const again = lockRun(run);
    fs.writeFileSync(path.join(run, 'config.yaml'), '');
    again();
    assert.deepEqual(fs.readdirSync(run), ['config.yaml']);
    fs.rmSync(path.dirname(run), { recursive: true });
  });

  test('is taken over from a process that is gone, or whose number another one has now', () => {
    const { pid } = spawnSync(process.execPath, ['-e', '']);
    const since = new Date(0).toISOString();
    for (const holder of [
      { pid, host: hostname(), began: '1', since },
      { pid: process.pid, host: hostname(), began: '1', since },
    ]) {
      fs.writeFileSync(file, JSON.stringify(holder));
      lockRun(folder)();
    }
    fs.writeFileSync(file, '{"pid": 1'); // cut short by a crash
    lockRun(folder)();
    assert.deepEqual(fs.readdirSync(folder), []);
  });

  test('of another machine is left alone', () => {
    fs.writeFileSync(file, JSON.stringify({ pid: 1, host: 'elsewhere', began: '', since: '2026-01-01' }));
    assert.throws(() => lockRun(folder), /process 1 on elsewhere[\s\S]*remove the file/);
  });
});
