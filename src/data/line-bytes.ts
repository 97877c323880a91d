import { isUtf8 } from 'node:buffer';
import { UserError } from '../common/errors.js';

const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const MARK = Buffer.from('\ufeff');

/** Lines of a file as they lie there, not yet checked. Plain data: it is sent to threads. */
export interface LineBytes {
  /** The file. */
  readonly name: string;
  /** The number of the first line, from 1. */
  readonly line: number;
  /** Lines of texts before this file, which one text is made of with it; none where it is left out. */
  readonly before?: number;
  readonly bytes: Uint8Array;
  /** Where the line break of each line is, or the end of the last one. */
  readonly ends: Int32Array;
}

/** Where lines are in bytes: line i is bytes[starts[i]], …, bytes[ends[i] − 1]. */
export interface LineSpans {
  readonly bytes: Buffer;
  readonly starts: Int32Array;
  readonly ends: Int32Array;
}

/**
 * Checks lines and leaves out what does not belong to them: a carriage return before the break, and a byte order mark at
 * the start of the file.
 *
 * @throws UserError that names the first line that has a NUL byte, or bytes that are not UTF-8
 */
export function checkLines({ name, line, bytes: given, ends: breaks }: LineBytes): LineSpans {
  const bytes = asBuffer(given);
  checkText(bytes, name, line);
  const ends = breaks.slice();
  const starts = new Int32Array(ends.length);
  if (line === 1 && bytes.subarray(0, MARK.length).equals(MARK)) starts[0] = MARK.length;
  for (let i = 1; i < ends.length; i++) starts[i] = breaks[i - 1] + 1;
  if (bytes.includes(CARRIAGE_RETURN)) {
    for (let i = 0; i < ends.length; i++) {
      if (ends[i] > starts[i] && bytes[ends[i] - 1] === CARRIAGE_RETURN) ends[i]--;
    }
  }
  return { bytes, starts, ends };
}

/** Lines as text. */
export function textOf({ bytes, starts, ends }: LineSpans): string[] {
  return Array.from(starts, (start, i) => bytes.toString('utf8', start, ends[i]));
}

/**
 * @param bytes whole lines
 * @param line the number of the first one
 * @throws UserError that names the first line at fault
 */
export function checkText(bytes: Buffer, name: string, line: number): void {
  if (bytes.includes(0) || !isUtf8(bytes)) refuse(bytes, name, line);
}

function asBuffer({ buffer, byteOffset, length }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, length);
}

function refuse(bytes: Buffer, name: string, first: number): never {
  let start = 0;
  for (let line = first; ; line++) {
    const newline = bytes.indexOf(NEWLINE, start);
    const content = bytes.subarray(start, newline === -1 ? bytes.length : newline);
    const nul = content.indexOf(0);
    const invalid = findInvalidByte(content);
    if (nul !== -1 || invalid !== -1) throw unreadableLine(`${name}:${line}`, content, nul, invalid);
    start = newline + 1;
  }
}

function unreadableLine(where: string, content: Buffer, nul: number, invalid: number): UserError {
  if (invalid === -1 || (nul !== -1 && nul < invalid)) {
    return new UserError({
      problem: `expected text, found a NUL byte at byte ${nul + 1} of the line`,
      where,
      hint: 'Text has no NUL bytes: check that this is a text file, and in UTF-8 (UTF-16 has many of them).',
    });
  }
  const byte = content[invalid].toString(16).padStart(2, '0');
  return new UserError({
    problem: `expected UTF-8, found the byte 0x${byte} at byte ${invalid + 1} of the line, which is not valid there`,
    where,
    hint: 'Convert the file, for example with `iconv -f latin1 -t utf-8`, or remove the line.',
  });
}

/** Offset of the first byte that is not part of valid UTF-8, or −1. */
function findInvalidByte(bytes: Buffer): number {
  if (isUtf8(bytes)) return -1;
  for (let i = 0; ; ) {
    const lead = bytes[i];
    const length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (!isUtf8(bytes.subarray(i, i + length))) return i;
    i += length;
  }
}
