import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ProtoWriter } from '../../src/common/proto-writer.js';
import { DamagedModelError, protoFields } from '../../src/tokenizer/protobuf.js';

const fieldNumber = fc.integer({ min: 1, max: 2 ** 20 });
const field = fc.oneof(
  fc.record({ number: fieldNumber, integer: fc.integer() }, { noNullPrototype: true }),
  fc.record({ number: fieldNumber, float: fc.float({ noNaN: true }) }, { noNullPrototype: true }),
  fc.record({ number: fieldNumber, bytes: fc.uint8Array() }, { noNullPrototype: true }),
);

test('what is written is read', () => {
  fc.assert(
    fc.property(fc.array(field), (fields) => {
      const writer = new ProtoWriter();
      for (const entry of fields) {
        if ('integer' in entry) writer.integer(entry.number, entry.integer);
        else if ('float' in entry) writer.float(entry.number, entry.float);
        else writer.bytes(entry.number, entry.bytes);
      }
      const read = [...protoFields(writer.finish())].map((entry) =>
        entry.bytes === undefined ? entry : { ...entry, bytes: Uint8Array.from(entry.bytes) },
      );
      assert.deepEqual(read, fields);
    }),
    { seed: 1 },
  );
});

test('the bytes of the format', () => {
  // The example of its documentation: field 1 is 150; and a string of field 2.
  assert.deepEqual([...new ProtoWriter().integer(1, 150).finish()], [0x08, 0x96, 0x01]);
  assert.deepEqual([...new ProtoWriter().bytes(2, 'hi').finish()], [0x12, 0x02, 0x68, 0x69]);
  assert.equal(new ProtoWriter().integer(43, -1).finish().length, 2 + 10);
  assert.deepEqual(
    [...protoFields(Buffer.from([0x09, 1, 2, 3, 4, 5, 6, 7, 8, 0x08, 1]))],
    [{ number: 1, integer: 1 }],
  );
});

test('a message within another, in pieces or in one', () => {
  const inner = new ProtoWriter().bytes(2, 'hi').integer(1, 150);
  const outer = new ProtoWriter().message(3, inner).integer(1, 1);
  const pieces: Uint8Array[] = [];
  outer.writeTo((piece) => pieces.push(piece));
  const expected = new ProtoWriter().bytes(3, inner.finish()).integer(1, 1).finish();
  assert.deepEqual([...Buffer.concat(pieces)], [...expected]);
  assert.deepEqual([...outer.finish()], [...expected]);
  assert.equal(outer.length, expected.length);
});

test('bytes that do not fit are refused', () => {
  for (const bytes of [
    [0x08],
    [0x0a, 5, 1],
    [0x0d, 1, 2, 3],
    [0x0b],
    [0x00, 0],
    [0x08, ...Array(11).fill(0xff)],
  ]) {
    assert.throws(() => [...protoFields(Buffer.from(bytes))], DamagedModelError);
  }
});
