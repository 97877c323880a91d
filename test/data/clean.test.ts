import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lineCleaner } from '../../src/data/clean.js';

test('nothing to do, NFC, white space, both', () => {
  assert.equal(lineCleaner({ nfc: false, whitespace: false }), undefined);
  const line = ' cafe\u0301 \t\u00a0\u3000 x ';
  assert.equal(lineCleaner({ nfc: true, whitespace: false })?.(line), ' caf\u00e9 \t\u00a0\u3000 x ');
  assert.equal(lineCleaner({ nfc: false, whitespace: true })?.(line), 'cafe\u0301 x');
  assert.equal(lineCleaner({ nfc: true, whitespace: true })?.(line), 'caf\u00e9 x');
});
