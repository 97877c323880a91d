import assert from 'node:assert/strict';
import { test } from 'node:test';
import { STORAGE_TYPES } from '../../src/formats/torch-storage.js';

test('a number has as many bytes as its type says: in old files the next storage begins after them', () => {
  const bits = {
    ...{ Double: 64, Float: 32, Half: 16, BFloat16: 16 },
    ...{ Long: 64, Int: 32, Short: 16, Char: 8, Byte: 8, Bool: 8 },
  };
  const found = Object.entries(STORAGE_TYPES).map(([name, { bytes }]) => [name, 8 * bytes]);
  assert.deepEqual(
    Object.fromEntries(found),
    Object.fromEntries(Object.entries(bits).map(([type, size]) => [`${type}Storage`, size])),
  );
});

test('what is read has as many numbers as there are', () => {
  for (const [name, { bytes, read }] of Object.entries(STORAGE_TYPES)) {
    if (read === undefined) continue;
    assert.deepEqual(read(Buffer.alloc(3 * bytes)), new Float32Array(3), name);
  }
});
