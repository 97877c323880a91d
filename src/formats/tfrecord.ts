import { crc32c } from './crc.js';

/**
 * TensorFlow's record files (tensorflow/core/lib/io/record_writer.h): for each record u64 length, u32 masked
 * CRC of the length, the bytes, u32 masked CRC of the bytes; little endian.
 */

const HEADER_BYTES = 12;
const FOOTER_BYTES = 4;
/** Added by the mask, which keeps the CRC of data that holds CRCs itself from being degenerate (crc32c.h). */
const MASK_DELTA = 0xa282ead8;

/** The CRC as records hold it: rotated right by 15 bits, plus a constant. */
function maskedCrc(bytes: Uint8Array): number {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + MASK_DELTA) >>> 0;
}

/** A record with its frame. */
export function frameRecord(data: Uint8Array): Buffer {
  const record = Buffer.alloc(HEADER_BYTES + data.length + FOOTER_BYTES);
  record.writeBigUInt64LE(BigInt(data.length));
  record.writeUInt32LE(maskedCrc(record.subarray(0, 8)), 8);
  record.set(data, HEADER_BYTES);
  record.writeUInt32LE(maskedCrc(data), HEADER_BYTES + data.length);
  return record;
}

/** Bytes that are no records. */
export class DamagedRecordError extends Error {}

/**
 * The records in bytes: views of them.
 *
 * @throws DamagedRecordError at the first that is cut short or fails its CRC, with the byte it starts at
 */
export function* readRecords(bytes: Buffer): Generator<Buffer, void, undefined> {
  for (let start = 0; start < bytes.length; ) {
    const refuse = (problem: string): DamagedRecordError =>
      new DamagedRecordError(`the record at byte ${start} ${problem}`);
    const left = bytes.length - start;
    if (left < HEADER_BYTES) throw refuse(`is cut short: ${left} bytes are left, its header takes 12`);
    if (bytes.readUInt32LE(start + 8) !== maskedCrc(bytes.subarray(start, start + 8))) {
      throw refuse('has a length that fails its CRC');
    }
    const length = Number(bytes.readBigUInt64LE(start));
    const size = HEADER_BYTES + length + FOOTER_BYTES;
    if (size > left) throw refuse(`is cut short: it takes ${size} bytes, ${left} are left`);
    const end = start + HEADER_BYTES + length;
    const data = bytes.subarray(start + HEADER_BYTES, end);
    if (bytes.readUInt32LE(end) !== maskedCrc(data)) throw refuse('has data that fails its CRC');
    yield data;
    start += size;
  }
}
