import { Buffer } from 'node:buffer';
import { appendFileSync, statSync, truncateSync } from 'node:fs';
import { systemError, userErrorOf } from '../common/errors.js';
import { log } from '../common/log.js';

/**
 * A file that only grows, while training goes on whatever the disk says: what it refuses waits for the next time, and a
 * warning says so. It is opened anew each time: whatever ends the program, what was added is whole in the file.
 */
export class PatientFile {
  private readonly file: string;
  /** What is added, for the warning. */
  private readonly what: string;
  /** Bytes of the file that were added whole. */
  private size: number;
  private waiting: Buffer[] = [];
  private readonly onWritten?: (bytes: Buffer) => void;

  /**
   * @param size bytes of the file now; 0 where there is none
   * @param onWritten told of what the file has got
   */
  constructor(file: string, what: string, size = 0, onWritten?: (bytes: Buffer) => void) {
    this.onWritten = onWritten;
    [this.file, this.what, this.size] = [file, what, size];
  }

  add(content: string | Uint8Array): void {
    this.waiting.push(Buffer.from(content as Uint8Array));
    this.flush();
  }

  /** Writes what is waiting. @returns the bytes of the file then; null where it could not be written */
  flush(): number | null {
    const bytes = Buffer.concat(this.waiting);
    try {
      if (bytes.length > 0) this.append(bytes);
    } catch (error) {
      this.undo();
      log.warn(`${this.what} are kept for later: ${userErrorOf(error, this.file).message}`);
      return null;
    }
    this.size += bytes.length;
    this.onWritten?.(bytes);
    this.waiting = [];
    return this.size;
  }

  /** @throws the error of the system, also for a disk that answers and has nothing written */
  private append(bytes: Buffer): void {
    appendFileSync(this.file, bytes);
    if (this.size > 0 && statSync(this.file).size === this.size) throw systemError('EIO');
  }

  /** Removes the part that may have been written. */
  private undo(): void {
    try {
      truncateSync(this.file, this.size);
    } catch {
      // as before: whoever reads the file drops what is cut short at its end
    }
  }
}
