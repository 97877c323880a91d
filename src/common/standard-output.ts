import * as fs from 'node:fs';
import process from 'node:process';
import { explainFileError, UserError } from './errors.js';

/** What standard output is called in messages. */
const STANDARD_OUTPUT = 'standard output';

/**
 * Lets every write to a standard output fail that was closed when the program started (`>&-`). Node.js opens /dev/null
 * in its place, for reading and writing, so that what is written would be lost without a word. A shell's `> /dev/null` is open
 * for writing alone. Other programs that want no output may open it for both (Python's DEVNULL, Node's 'ignore'): that
 * cannot be told from a closed one, unless standard error, or the standard output of the process that started this one,
 * is so as well. Only Linux tells how a descriptor is open.
 */
export function refuseLostOutput(): void {
  if (!wasClosed(1)) return;
  fs.closeSync(1);
  fs.openSync('/dev/null', 'r'); // the lowest number that is free
}

/** Whether standard input (0) or output (1) was closed when the program started, as far as that can be told. */
export function wasClosed(fd: 0 | 1): boolean {
  return isNullBothWays('self', fd) && !isNullBothWays('self', 2) && !isNullBothWays(process.ppid, fd);
}

/** Whether a descriptor of a process is /dev/null, open for reading and writing. */
function isNullBothWays(processId: number | 'self', fd: number): boolean {
  try {
    const found = fs.statSync(`/proc/${processId}/fd/${fd}`);
    if (!found.isCharacterDevice() || found.rdev !== fs.statSync('/dev/null').rdev) return false;
    const [, flags] = /^flags:\s*([0-7]+)/m.exec(
      fs.readFileSync(`/proc/${processId}/fdinfo/${fd}`, 'latin1'),
    )!;
    return (Number.parseInt(flags, 8) & 3) === fs.constants.O_RDWR;
  } catch {
    return false; // it is closed, or may not be looked at
  }
}

/** Makes sure, before there is something to write, that standard output takes it. @throws UserError */
export function checkStandardOutput(): void {
  try {
    fs.writeSync(1, new Uint8Array(0));
  } catch (error) {
    throw explainOutputError(error);
  }
}

/** As explainFileError, for an error of standard output. */
export function explainOutputError(error: unknown): unknown {
  if ((error as NodeJS.ErrnoException).code !== 'EBADF') return explainFileError(error, STANDARD_OUTPUT);
  return new UserError(
    {
      problem: 'it is closed, or not open for writing',
      where: STANDARD_OUTPUT,
      hint: "To drop what is printed, use `> /dev/null`; from Python, stdout=open(os.devnull, 'w') in place of DEVNULL.",
    },
    { cause: error },
  );
}
