import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { getSystemErrorMap } from 'node:util';
import { explainFileError, isFileError, nearest, UserError, userErrorOf } from '../../src/common/errors.js';

test('a UserError lists every complaint with its place and hint', () => {
  const error = new UserError([
    { problem: 'expected a number, found "x"', where: 'a.yaml:3:7', hint: 'Write a number.' },
    { problem: 'no text' },
  ]);
  assert.equal(error.message, 'a.yaml:3:7: expected a number, found "x"\n  Write a number.\nno text');
  assert.equal(error.complaints.length, 2);
});

test('a problem that begins with its place says it once', () => {
  const where = 'decode.sampling';
  const messageOf = (problem: string): string => new UserError({ problem, where }).message;
  assert.equal(
    messageOf('decode.sampling: expected true or false'),
    'decode.sampling: expected true or false',
  );
  assert.equal(messageOf('decode.sampling draws each by itself'), 'decode.sampling draws each by itself');
  assert.equal(
    messageOf('decode.sampling-topk is of another key'),
    'decode.sampling: decode.sampling-topk is of another key',
  );
});

test('file system errors name the path; other errors pass through', () => {
  const explained = explainFileError(Object.assign(new Error('x'), { code: 'ENOSPC' }), 'out/file');
  assert.ok(explained instanceof UserError);
  assert.match(explained.message, /^out\/file: no space left on the device/);
  const other = new TypeError('ours');
  assert.equal(explainFileError(other, 'f'), other);
});

test('every error number of the system is the surroundings’, with the path; a broken pipe is none', () => {
  for (const [errno, [code, text]] of getSystemErrorMap()) {
    const thrown = Object.assign(new Error(`${code}: ${text}, open 'a/b'`), {
      ...{ errno, code, syscall: 'open', path: 'a/b' },
    });
    const explained = userErrorOf(thrown);
    assert.match(explained.message, /^a\/b: .+\n {2}\w/, code);
    assert.ok(isFileError(explained) && isFileError(thrown), code);
  }
  const unknown = Object.assign(new Error("EMULTIHOP: multihop attempted, rename 'a' -> 'b'"), {
    ...{ code: 'EMULTIHOP', syscall: 'rename', path: 'a' },
  });
  assert.match(
    userErrorOf(unknown).message,
    /^a: the system refuses this: multihop attempted \(EMULTIHOP, rename\)\n/,
  );
  const pipe = Object.assign(new Error('EPIPE: broken pipe, write'), { code: 'EPIPE', syscall: 'write' });
  assert.equal(explainFileError(pipe), pipe);
});

test('memory that is not to be had is the surroundings’, a wrong size is ours', () => {
  const told = (make: () => unknown): string => {
    try {
      make();
    } catch (error) {
      return userErrorOf(error).message;
    }
    return 'nothing was thrown';
  };
  assert.match(
    told(() => new ArrayBuffer(2 ** 52)),
    /^out of memory: Array buffer allocation failed\n/,
  );
  assert.match(
    told(() => new Float32Array(2 ** 52)),
    /^out of memory: Invalid typed array length/,
  );
  assert.match(
    told(() => 'x'.repeat(2 ** 30)),
    /^out of memory: Invalid string length/,
  );
  const long = Object.assign(new Error('Cannot create a string longer than 0x1fffffe8 characters'), {
    code: 'ERR_STRING_TOO_LONG',
  });
  assert.match(userErrorOf(long).message, /^out of memory: Cannot create a string/);
  assert.match(
    told(() => readFileSync('a\0b')),
    /^a path cannot hold a NUL/,
  );
  assert.throws(() => told(() => new Float32Array(-1)), RangeError);
  assert.throws(() => told(() => [].length.toFixed(101)), RangeError);
  assert.equal(isFileError(new UserError({ problem: 'a mistake' })), false);
});

test('nearest finds what was meant and stays silent where nothing is near', () => {
  const keys = ['max-tokens', 'max-update', 'max-epoch', 'lr', 'seed'];
  assert.equal(nearest('max-token', keys), 'max-tokens');
  assert.equal(nearest('sede', keys), 'seed');
  assert.equal(nearest('LR', keys), 'lr');
  assert.equal(nearest('banana', keys), undefined);
});
