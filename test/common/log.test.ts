import assert from 'node:assert/strict';
import { test } from 'node:test';
import { colorEnabled } from '../../src/common/log.js';

test('NO_COLOR wins over FORCE_COLOR; without either the terminal decides', () => {
  assert.equal(colorEnabled({ NO_COLOR: '1', FORCE_COLOR: '1' }), false);
  assert.equal(colorEnabled({ FORCE_COLOR: '1' }), true);
  assert.equal(colorEnabled({ NO_COLOR: '', FORCE_COLOR: '1' }), true);
  assert.equal(colorEnabled({ FORCE_COLOR: '0' }), process.stderr.isTTY === true);
  assert.equal(colorEnabled({}), process.stderr.isTTY === true && process.env.TERM !== 'dumb');
});
