import { Buffer } from 'node:buffer';
import * as fs from 'node:fs';

/** Reads bytes at a place. @throws where the file has fewer */
export type ReadAt = (start: number, bytes: number) => Buffer;
/** Makes the error for a problem. */
type Refuse = (problem: string) => Error;

/** Fills an array from a place in a file. */
export function readFully(fd: number, bytes: Uint8Array, position: number, refuse: Refuse): void {
  for (let done = 0; done < bytes.length; ) {
    const count = fs.readSync(fd, bytes, done, bytes.length - done, position + done);
    if (count === 0) throw refuse('it was cut short while it was read');
    done += count;
  }
}

/** Reads parts of a file of so many bytes. */
export function readerOf(fd: number, size: number, refuse: Refuse): ReadAt {
  return (start, bytes) => {
    if (!(start >= 0 && bytes >= 0 && start + bytes <= size)) throw refuse('it is cut short');
    const buffer = Buffer.alloc(bytes);
    readFully(fd, buffer, start, refuse);
    return buffer;
  };
}
