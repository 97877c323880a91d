import assert from 'node:assert/strict';
import { test } from 'node:test';
import { explainFileError, nearest, UserError } from '../../src/common/errors.js';

test('a UserError lists every complaint with its place and hint', () => {
  const error = new UserError([
    { problem: 'expected a number, found "x"', where: 'a.yaml:3:7', hint: 'Write a number.' },
    { problem: 'no text' },
  ]);
  assert.equal(error.message, 'a.yaml:3:7: expected a number, found "x"\n  Write a number.\nno text');
  assert.equal(error.complaints.length, 2);
});

test('file system errors name the path; other errors pass through', () => {
  const explained = explainFileError(Object.assign(new Error('x'), { code: 'ENOSPC' }), 'out/file');
  assert.ok(explained instanceof UserError);
  assert.match(explained.message, /^out\/file: no space left on the device/);
  const other = new TypeError('ours');
  assert.equal(explainFileError(other, 'f'), other);
});

test('nearest finds what was meant and stays silent where nothing is near', () => {
  const keys = ['max-tokens', 'max-update', 'max-epoch', 'lr', 'seed'];
  assert.equal(nearest('max-token', keys), 'max-tokens');
  assert.equal(nearest('sede', keys), 'seed');
  assert.equal(nearest('LR', keys), 'lr');
  assert.equal(nearest('banana', keys), undefined);
});
