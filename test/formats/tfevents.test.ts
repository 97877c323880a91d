import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { UserError } from '../../src/common/errors.js';
import { encodeEvent, readEventFile, type TensorboardEvent } from '../../src/formats/tfevents.js';
import { frameRecord } from '../../src/formats/tfrecord.js';

const folder = mkdtempSync(path.join(tmpdir(), 'admin-nmt-tfevents-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** The same events as the record writer and the messages of TensorBoard 2.21.0 write them. */
const RECORDED: [TensorboardEvent, hex: string][] = [
  [
    { wallTime: 1.5, step: 0, fileVersion: 'brain.Event:2' },
    '1800000000000000a37f4b2209000000000000f83f1a0d627261696e2e4576656e743a322a28646c',
  ],
  [
    { wallTime: 1.5, step: 41, start: true },
    '0f000000000000006d532b0909000000000000f83f10293a020801a6ac353d',
  ],
  [
    {
      wallTime: 1795628558.971,
      step: 2 ** 40 + 300,
      scalars: new Map([
        ['train/loss', 2.5],
        ['valid/ppl', 0],
      ]),
    },
    '3700000000000000e7e8ca5909dd24be83c7c1da4110ac82808080202a250a110a0a747261696e2f6c6f7373150000204' +
      '00a100a0976616c69642f70706c15000000009dbb1912',
  ],
];

test('events have the bytes that TensorBoard writes', () => {
  for (const [event, hex] of RECORDED) assert.equal(encodeEvent(event).toString('hex'), hex);
});

test('what is written is read again', () => {
  const file = path.join(folder, 'events.out.tfevents.1.host.1');
  writeFileSync(file, Buffer.concat(RECORDED.map(([event]) => encodeEvent(event))));
  assert.deepEqual(
    readEventFile(file),
    RECORDED.map(([event]) => event),
  );
  writeFileSync(file, encodeEvent({ wallTime: 0, step: 7, scalars: new Map([['ß', 0.1]]) }));
  assert.deepEqual(readEventFile(file)[0].scalars, new Map([['ß', Math.fround(0.1)]]));
});

test('fields that others write are passed over', () => {
  const file = path.join(folder, 'others');
  const graph = Buffer.from([0x09, 0, 0, 0, 0, 0, 0, 0xf8, 0x3f, 0x22, 2, 1, 2, 0x52, 0, 0x10, 5]);
  writeFileSync(file, frameRecord(graph));
  assert.deepEqual(readEventFile(file), [{ wallTime: 1.5, step: 5 }]);
  // In a summary: a number, an entry without a value, an entry with more than a name and a value.
  const summary = Buffer.from([
    0x10, 1, 0x0a, 3, 0x0a, 1, 0x61, 0x0a, 10, 0x18, 7, 0x0a, 1, 0x62, 0x15, 0, 0, 0x20, 0x40,
  ]);
  writeFileSync(file, frameRecord(Buffer.concat([Buffer.from([0x2a, summary.length]), summary])));
  assert.deepEqual(readEventFile(file)[0].scalars, new Map([['b', 2.5]]));
});

test('a damaged file is refused with its place', () => {
  const file = path.join(folder, 'damaged');
  const whole = Buffer.concat(RECORDED.map(([event]) => encodeEvent(event)));
  const refuses = (bytes: Buffer, pattern: RegExp): void => {
    writeFileSync(file, bytes);
    assert.throws(
      () => readEventFile(file),
      (error) => error instanceof UserError && pattern.test(error.message) && error.message.includes(file),
    );
  };
  refuses(whole.subarray(0, -3), /the record at byte 71 is cut short: it takes 71 bytes, 68 are left/);
  refuses(Buffer.from('an ordinary text file'), /the record at byte 0 has a length that fails its CRC/);
  refuses(frameRecord(Buffer.from([0x09, 0, 0])), /ends in the middle of a field/);
  refuses(frameRecord(Buffer.from([0x0b])), /unknown wire type 3/);
  refuses(frameRecord(Buffer.alloc(20, 0xff)), /longer than 10 bytes/);
});
