import { Buffer } from 'node:buffer';
import * as fs from 'node:fs';
import { explainFileError } from './errors.js';
import { openInput } from './file-input.js';

/** Lines of a file that follow each other. */
export interface LineBlock {
  /** Whole lines with their ends; without an end only where the file is cut short there. Overwritten by the next block. */
  readonly bytes: Buffer;
  /** Where in the file they start. */
  readonly start: number;
}

const BLOCK = 1 << 22;
const NEWLINE = 10;

/** Reads a file of lines from its beginning to its end, so that no more than a block, or a line, of it is held. */
export function* lineBlocks(file: string, block = BLOCK): Generator<LineBlock, void, undefined> {
  let fd: number | undefined;
  try {
    fd = openInput(file);
    let buffer = Buffer.allocUnsafe(block);
    let held = 0; // bytes of a line whose end is yet to be read
    for (let start = 0; ; ) {
      if (held === buffer.length) buffer = Buffer.concat([buffer], 2 * held);
      const count = fs.readSync(fd, buffer, held, buffer.length - held, null);
      const length = held + count;
      const end = count === 0 ? length : buffer.subarray(0, length).lastIndexOf(NEWLINE) + 1;
      if (end > 0) yield { bytes: buffer.subarray(0, end), start };
      if (count === 0) return;
      buffer.copyWithin(0, end, length);
      [held, start] = [length - end, start + end];
    }
  } catch (error) {
    throw explainFileError(error, file);
  } finally {
    if (fd !== undefined) fs.closeSync(fd);
  }
}

/** The whole lines of a file, one after another, without their ends. @returns whether a last one has none */
export function* linesOfFile(file: string, block?: number): Generator<string, boolean, undefined> {
  for (const { bytes } of lineBlocks(file, block)) {
    const lines = bytes.toString('utf8').split('\n');
    const last = lines.pop()!;
    yield* lines;
    if (last !== '') return true;
  }
  return false;
}
