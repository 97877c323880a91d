import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32c } from '../../src/formats/crc.js';
import { DamagedRecordError, frameRecord, readRecords } from '../../src/formats/tfrecord.js';

test('CRC-32C: the check value and the vectors of RFC 3720, appendix B.4', () => {
  assert.equal(crc32c(Buffer.from('123456789')), 0xe3069283);
  assert.equal(crc32c(Buffer.alloc(32)), 0x8a9136aa);
  assert.equal(crc32c(Buffer.alloc(32, 0xff)), 0x62a8ab43);
  assert.equal(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i)), 0x46dd794e);
  assert.equal(crc32c(Buffer.alloc(0)), 0);
});

test('records come back, an empty one too', () => {
  const records = ['', 'a', 'b'.repeat(300)].map((text) => Buffer.from(text));
  assert.deepEqual([...readRecords(Buffer.concat(records.map(frameRecord)))], records);
  assert.deepEqual([...readRecords(Buffer.alloc(0))], []);
});

test('a file cut short gives the whole records, then an error with the place', () => {
  const bytes = Buffer.concat(['first', 'second'].map((text) => frameRecord(Buffer.from(text))));
  const second = 12 + 5 + 4;
  for (let length = second + 1; length < bytes.length; length++) {
    const records = readRecords(bytes.subarray(0, length));
    assert.equal(String(records.next().value), 'first');
    assert.throws(() => records.next(), /the record at byte 21 is cut short/);
  }
});

test('a flipped bit anywhere is found', () => {
  const bytes = frameRecord(Buffer.from('some data'));
  for (let bit = 0; bit < 8 * bytes.length; bit++) {
    const damaged = Buffer.from(bytes);
    damaged[bit >> 3] ^= 1 << (bit & 7);
    assert.throws(() => [...readRecords(damaged)], DamagedRecordError);
  }
});
