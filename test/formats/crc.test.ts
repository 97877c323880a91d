import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32, crc32ByTable, crc32c } from '../../src/formats/crc.js';

const CHECK = Buffer.from('123456789');

test('the check values of both polynomials', () => {
  assert.equal(crc32(CHECK), 0xcbf43926);
  assert.equal(crc32ByTable(CHECK), 0xcbf43926);
  assert.equal(crc32c(CHECK), 0xe3069283);
  assert.equal(crc32(Buffer.alloc(0)), 0);
});

test('in pieces, by the table and by Node: the same', () => {
  const bytes = Buffer.from(Array.from({ length: 1000 }, (_, i) => (i * i * 7) & 255));
  const whole = crc32ByTable(bytes);
  for (const cut of [0, 1, 499, 1000]) {
    const [head, tail] = [bytes.subarray(0, cut), bytes.subarray(cut)];
    for (const crc of [crc32, crc32ByTable]) assert.equal(crc(tail, crc(head)), whole);
  }
});
