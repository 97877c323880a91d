import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { hostname, tmpdir } from 'node:os';
import * as path from 'node:path';
import process from 'node:process';
import { after, describe, test } from 'node:test';
import { holderOf, type Lock, takeLock } from '../../src/common/process-lock.js';

const folder = fs.mkdtempSync(path.join(tmpdir(), 'admin-nmt-process-lock-'));
after(() => fs.rmSync(folder, { recursive: true }));
const file = path.join(folder, 'train.lock');
const { pid: gone } = spawnSync(process.execPath, ['-e', '']);
const CALLS = ['linkSync', 'openSync', 'readFileSync', 'renameSync', 'rmSync', 'writeFileSync'] as const;
const original = Object.fromEntries(CALLS.map((name) => [name, fs[name]])) as Pick<
  typeof fs,
  (typeof CALLS)[number]
>;

/** Runs `action` with something else before its n-th call of the file system. @returns how many calls there were */
function interrupted(action: () => void, at: number, other: () => void): number {
  let calls = 0;
  let inside = false;
  for (const name of CALLS) {
    const call = fs[name] as (...args: unknown[]) => unknown;
    Object.assign(fs, {
      [name]: (...args: unknown[]) => {
        if (!inside && calls++ === at) {
          inside = true;
          other();
          inside = false;
        }
        return call(...args);
      },
    });
  }
  syncBuiltinESMExports();
  try {
    action();
  } finally {
    restore();
  }
  return calls;
}

function restore(): void {
  Object.assign(fs, original);
  syncBuiltinESMExports();
}

/** A file system on which no two names have one file. */
function withoutLinks(): void {
  Object.assign(fs, {
    linkSync: () => {
      throw Object.assign(new Error('EPERM: operation not permitted, link'), {
        code: 'EPERM',
        syscall: 'link',
      });
    },
  });
  syncBuiltinESMExports();
}

const writeDead = (place = file): void =>
  fs.writeFileSync(place, JSON.stringify({ pid: gone, host: hostname(), began: '1', since: 'then' }));
const isLock = (taken: ReturnType<typeof takeLock> | undefined): taken is Lock =>
  taken !== undefined && 'release' in taken;

describe('two that take a lock at once: one gets it', () => {
  for (const links of [true, false]) {
    for (const before of ['nothing there', 'the lock of a dead process there'] as const) {
      for (const gives of ['keeps it', 'gives it back'] as const) {
        test(`${links ? '' : 'without links, '}${before}, and one that comes in between ${gives}`, () => {
          let seen = 0;
          for (let at = 0; at <= seen; at++) {
            if (before !== 'nothing there') writeDead();
            if (!links) withoutLinks();
            let first: ReturnType<typeof takeLock> | undefined;
            let second: ReturnType<typeof takeLock> | undefined;
            seen = interrupted(
              () => {
                first = takeLock(file);
              },
              at,
              () => {
                second = takeLock(file);
                if (gives === 'gives it back' && isLock(second)) second.release();
              },
            );
            const holders = (gives === 'keeps it' ? [first, second] : [first]).filter(isLock);
            assert.ok(isLock(first) || isLock(second), `nobody, at ${at}`);
            assert.ok(holders.length <= 1, `two, at ${at}`);
            assert.equal(fs.existsSync(file), holders.length === 1, `no lock, at ${at}`);
            for (const holder of holders) holder.release();
            assert.deepEqual(fs.readdirSync(folder), [], `left over, at ${at}`);
          }
          assert.ok(seen >= 3);
        });
      }
    }
  }
});

test('a process that died while it took over keeps nobody from it, and leaves nothing', () => {
  writeDead();
  const claims: string[] = [];
  Object.assign(fs, {
    linkSync: (from: string, to: string) => {
      // A dead claim on the dead lock, and a dead claim on that.
      if (to !== file && claims.length < 2 && !claims.includes(to)) {
        claims.push(to);
        writeDead(to);
      }
      original.linkSync(from, to);
    },
  });
  syncBuiltinESMExports();
  try {
    const taken = takeLock(file);
    assert.ok(isLock(taken));
    assert.equal((taken.takenFrom as { pid: number }).pid, gone);
    assert.equal(claims.length, 2);
    assert.deepEqual(fs.readdirSync(folder), ['train.lock']);
    taken.release();
  } finally {
    restore();
  }
  assert.deepEqual(fs.readdirSync(folder), []);
});

test('what is given back is one’s own lock alone', () => {
  const taken = takeLock(file);
  assert.ok(isLock(taken));
  writeDead();
  taken.release();
  assert.equal(holderOf(file)?.pid, gone);
  fs.rmSync(file);
});

test('a file system without links: a lock all the same', () => {
  withoutLinks();
  try {
    const taken = takeLock(file);
    assert.ok(isLock(taken));
    const second = takeLock(file);
    assert.ok('heldBy' in second && second.heldBy.pid === process.pid);
    taken.release();
    writeDead();
    const over = takeLock(file);
    assert.ok(isLock(over) && over.takenFrom !== undefined);
    over.release();
    assert.deepEqual(fs.readdirSync(folder), []);
  } finally {
    restore();
  }
});

test('a full disk leaves no lock', () => {
  withoutLinks();
  const write = original.writeFileSync;
  Object.assign(fs, {
    writeFileSync: (place: string | number, text: string, options: { flag: string }) => {
      if (typeof place === 'number')
        throw Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC' });
      write(place, text, options);
    },
  });
  syncBuiltinESMExports();
  try {
    assert.throws(() => takeLock(file), { code: 'ENOSPC' });
  } finally {
    restore();
  }
  assert.deepEqual(fs.readdirSync(folder), []);
});
