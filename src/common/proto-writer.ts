const WIRE_VARINT = 0;
const WIRE_BYTES = 2;
const WIRE_32 = 5;

/** Writes a message of Protocol Buffers; fields come in the order of the calls. */
export class ProtoWriter {
  private readonly parts: Uint8Array[] = [];
  private size = 0;

  /** Bytes so far. */
  get length(): number {
    return this.size;
  }

  /** @param value an integer; negative ones take ten bytes, as in Protocol Buffers */
  integer(field: number, value: number): this {
    this.varint(BigInt(field * 8 + WIRE_VARINT));
    this.varint(BigInt.asUintN(64, BigInt(value)));
    return this;
  }

  float(field: number, value: number): this {
    this.varint(BigInt(field * 8 + WIRE_32));
    const part = Buffer.alloc(4);
    part.writeFloatLE(value);
    return this.add(part);
  }

  /** Bytes are not copied: they stay as they are until the message is written. */
  bytes(field: number, value: Uint8Array | string): this {
    const part = typeof value === 'string' ? Buffer.from(value) : value;
    return this.opening(field, part.length).add(part);
  }

  /** A message within this one, as it is now; its bytes are not copied either. */
  message(field: number, inner: ProtoWriter): this {
    this.opening(field, inner.size);
    for (const part of inner.parts) this.add(part);
    return this;
  }

  /** All bytes, in one piece. */
  finish(): Buffer {
    return Buffer.concat(this.parts);
  }

  /** Gives all bytes, in pieces. */
  writeTo(write: (piece: Uint8Array) => void): void {
    for (const part of this.parts) write(part);
  }

  private opening(field: number, length: number): this {
    this.varint(BigInt(field * 8 + WIRE_BYTES));
    this.varint(BigInt(length));
    return this;
  }

  private varint(value: bigint): void {
    const bytes: number[] = [];
    let rest = value;
    for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
    bytes.push(Number(rest));
    this.add(Uint8Array.from(bytes));
  }

  private add(part: Uint8Array): this {
    this.parts.push(part);
    this.size += part.length;
    return this;
  }
}
