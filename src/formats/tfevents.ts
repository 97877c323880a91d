import { UserError } from '../common/errors.js';
import { readFileBounded } from '../common/file-input.js';
import { DamagedRecordError, frameRecord, readRecords } from './tfrecord.js';

/**
 * TensorBoard's event files: records that each hold an `Event` (tensorboard/compat/proto/event.proto) in the wire
 * format of Protocol Buffers. Only what scalars need:
 *
 *     Event      { double wall_time = 1; int64 step = 2;
 *                  oneof { string file_version = 3; Summary summary = 5; SessionLog session_log = 7; } }
 *     Summary    { repeated Value value = 1; }
 *     Value      { string tag = 1; float simple_value = 2; }
 *     SessionLog { SessionStatus status = 1; }
 */
export interface TensorboardEvent {
  /** Seconds since 1970. */
  wallTime: number;
  step: number;
  /** The first event of a file has it. */
  fileVersion?: string;
  /** Values by tag; float32 in the file. */
  scalars?: ReadonlyMap<string, number>;
  /** A start: TensorBoard drops what earlier files hold of this step and later ones. */
  start?: boolean;
}

/** What TensorBoard takes purging starts from: version 2 on. */
export const FILE_VERSION = 'brain.Event:2';

const SESSION_START = 1;
const [VARINT, FIXED64, BYTES, FIXED32] = [0, 1, 2, 5];

/** An event as a record of an event file. */
export function encodeEvent({ wallTime, step, fileVersion, scalars, start }: TensorboardEvent): Buffer {
  const parts = [tag(1, FIXED64), double(wallTime)];
  if (step !== 0) parts.push(tag(2, VARINT), varint(step));
  if (fileVersion !== undefined) parts.push(field(3, Buffer.from(fileVersion)));
  if (scalars !== undefined) parts.push(field(5, encodeSummary(scalars)));
  if (start === true) parts.push(field(7, Buffer.concat([tag(1, VARINT), varint(SESSION_START)])));
  return frameRecord(Buffer.concat(parts));
}

function encodeSummary(scalars: ReadonlyMap<string, number>): Buffer {
  const values = [...scalars].map(([name, value]) =>
    field(1, Buffer.concat([field(1, Buffer.from(name)), tag(2, FIXED32), float(value)])),
  );
  return Buffer.concat(values);
}

function field(number: number, content: Buffer): Buffer {
  return Buffer.concat([tag(number, BYTES), varint(content.length), content]);
}

function tag(number: number, wire: number): Buffer {
  return varint(number * 8 + wire);
}

/** @param value a safe integer of at least 0 */
function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  return Buffer.from([...bytes, rest]);
}

function double(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return bytes;
}

function float(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return bytes;
}

/**
 * Reads an event file: what it has of the fields above.
 *
 * @throws UserError when it is damaged, cut short or of another kind
 */
export function readEventFile(file: string): TensorboardEvent[] {
  try {
    return [...readRecords(readFileBounded(file, 'an event file of TensorBoard'))].map(decodeEvent);
  } catch (error) {
    if (!(error instanceof DamagedRecordError || error instanceof RangeError)) throw error;
    throw new UserError({
      problem: `expected an event file of TensorBoard: ${error.message}`,
      where: file,
      hint: 'The file is damaged, cut short, or of another kind.',
    });
  }
}

function decodeEvent(bytes: Buffer): TensorboardEvent {
  const event: TensorboardEvent = { wallTime: 0, step: 0 };
  for (const { number, value } of readFields(bytes)) {
    if (typeof value === 'number') {
      if (number === 2) event.step = value;
    } else if (number === 1) event.wallTime = value.readDoubleLE();
    else if (number === 3) event.fileVersion = value.toString('utf8');
    else if (number === 5) event.scalars = decodeSummary(value);
    else if (number === 7) {
      event.start = [...readFields(value)].some((f) => f.number === 1 && f.value === SESSION_START);
    }
  }
  return event;
}

function decodeSummary(bytes: Buffer): Map<string, number> {
  const scalars = new Map<string, number>();
  for (const { value: entry } of readFields(bytes)) {
    if (typeof entry === 'number') continue;
    const fields = new Map([...readFields(entry)].map(({ number, value }) => [number, value]));
    const [name, value] = [fields.get(1), fields.get(2)];
    if (Buffer.isBuffer(name) && Buffer.isBuffer(value))
      scalars.set(name.toString('utf8'), value.readFloatLE());
  }
  return scalars;
}

/** A field of a message: a number where it is a varint, else its bytes. */
interface Field {
  number: number;
  value: number | Buffer;
}

/** @throws RangeError where the bytes are no message */
function* readFields(bytes: Buffer): Generator<Field, void, undefined> {
  let offset = 0;
  const take = (count: number): Buffer => {
    if (count > bytes.length - offset) throw new RangeError('an event ends in the middle of a field');
    offset += count;
    return bytes.subarray(offset - count, offset);
  };
  const readVarint = (): number => {
    let value = 0;
    for (let scale = 1; scale < 2 ** 70; scale *= 0x80) {
      const [byte] = take(1);
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    throw new RangeError('a number of an event is longer than 10 bytes');
  };
  while (offset < bytes.length) {
    const head = readVarint();
    const number = Math.floor(head / 8);
    const wire = head % 8;
    if (wire === VARINT) yield { number, value: readVarint() };
    else if (wire === FIXED64) yield { number, value: take(8) };
    else if (wire === FIXED32) yield { number, value: take(4) };
    else if (wire === BYTES) yield { number, value: take(readVarint()) };
    else throw new RangeError(`a field of an event has the unknown wire type ${wire}`);
  }
}
