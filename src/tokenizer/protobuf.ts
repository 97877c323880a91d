/** Reads the wire format of Protocol Buffers, as far as a SentencePiece model needs it; common/proto-writer.ts writes it. */

/** Bytes that are no model, or one that SentencePiece would refuse. */
export class DamagedModelError extends Error {}

/** One field of a message: its value is in the property of its wire type. */
export interface ProtoField {
  readonly number: number;
  /** A varint, as a signed 32-bit integer. */
  readonly integer?: number;
  readonly float?: number;
  /** A string, bytes or a message: a view of the input. */
  readonly bytes?: Buffer;
}

const WIRE_VARINT = 0;
const WIRE_64 = 1;
const WIRE_BYTES = 2;
const WIRE_32 = 5;
const MAX_VARINT_BYTES = 10;

/** Reads a message field by field. @throws DamagedModelError at the first byte that does not fit */
export function* protoFields(bytes: Buffer): Generator<ProtoField, void, undefined> {
  let offset = 0;
  const advance = (count: number): number => {
    if (count > bytes.length - offset) throw new DamagedModelError('it ends in the middle of a field');
    offset += count;
    return offset - count;
  };
  /** The low 32 bits, unsigned. */
  const varint = (): number => {
    let value = 0;
    for (let i = 0; i < MAX_VARINT_BYTES; i++) {
      const byte = bytes[advance(1)];
      if (i < 5) value += (byte & 0x7f) * 2 ** (7 * i);
      if (byte < 0x80) return value % 2 ** 32;
    }
    throw new DamagedModelError('a number is longer than 10 bytes');
  };
  while (offset < bytes.length) {
    const tag = varint();
    const number = tag >>> 3;
    if (number === 0) throw new DamagedModelError('a field has number 0');
    const wire = tag & 7;
    if (wire === WIRE_VARINT) yield { number, integer: varint() | 0 };
    else if (wire === WIRE_32) yield { number, float: bytes.readFloatLE(advance(4)) };
    else if (wire === WIRE_64) advance(8);
    else if (wire === WIRE_BYTES) {
      const length = varint();
      const start = advance(length);
      yield { number, bytes: bytes.subarray(start, start + length) };
    } else throw new DamagedModelError(`a field has the unknown wire type ${wire}`);
  }
}
