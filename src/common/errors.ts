/**
 * Exit codes of the program (see docs/errors.md): done, a bug of ours, a training that diverged or an engine that is wrong,
 * the user's input, interrupted after saving.
 */
export const ExitCode = { ok: 0, bug: 1, diverged: 1, wrong: 1, user: 2, sigint: 130, sigterm: 143 } as const;

export interface Complaint {
  /** What is wrong, in one line: what was expected and what was found. */
  problem: string;
  /** Where: `file:line:column`, or a config key path. */
  where?: string;
  /** What the user can do about it. */
  hint?: string;
}

/**
 * A mistake in the user's input, config or environment. Carries every complaint found, so that all are
 * reported at once. The program prints them on stderr and exits with 2.
 */
export class UserError extends Error {
  readonly complaints: readonly Complaint[];

  constructor(complaint: Complaint | readonly Complaint[], options?: { cause?: unknown }) {
    const complaints: readonly Complaint[] = Array.isArray(complaint) ? complaint : [complaint as Complaint];
    super(complaints.map(formatComplaint).join('\n'), options);
    this.name = 'UserError';
    this.complaints = complaints;
  }
}

/** A file that is not what was written: cut short, altered or gone. Another copy of it would do. */
export class DamageError extends UserError {
  constructor(complaint: Complaint | readonly Complaint[], options?: { cause?: unknown }) {
    super(complaint, options);
    this.name = 'DamageError';
  }
}

/** A device that fails, or is lost with all that it holds, while it computes. */
export class DeviceError extends UserError {
  constructor(complaint: Complaint, options?: { cause?: unknown }) {
    super(complaint, options);
    this.name = 'DeviceError';
  }
}

/** A device that has not enough memory. */
export class DeviceMemoryError extends DeviceError {
  constructor(complaint: Complaint, options?: { cause?: unknown }) {
    super(complaint, options);
    this.name = 'DeviceMemoryError';
  }
}

/**
 * `where: problem` and the hint on a line of its own, as it is shown to the user. A problem that begins with the place,
 * as that of a key does which a program has set, says it once.
 */
export function formatComplaint({ problem, where, hint }: Complaint): string {
  const says = where === undefined || problem.startsWith(`${where}: `) || problem.startsWith(`${where} `);
  const head = says ? problem : `${where}: ${problem}`;
  return hint === undefined ? head : `${head}\n  ${hint}`;
}

/** A training that has come to nothing: neither a bug nor a mistake in the input. Its message is all there is to say. */
export class DivergenceError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'DivergenceError';
  }
}

/** An engine that computes what is not right, or fails at it. Its message is all there is to say. */
export class WrongResultsError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'WrongResultsError';
  }
}

/** Raised after a signal, once everything is saved: the program exits with 128 + the signal's number. */
export class InterruptedError extends Error {
  readonly signal: 'SIGINT' | 'SIGTERM';

  constructor(signal: 'SIGINT' | 'SIGTERM', message: string) {
    super(message);
    this.name = 'InterruptedError';
    this.signal = signal;
  }
}

const PATH_HINT = 'Choose another path, or look at the file system that it is on.';
const SPACE_HINT = 'Free some space and run the command again; nothing was half-written.';

/** What users can do about an error of the system that they often meet. Others are told in the words of the system. */
const SYSTEM_ERRORS: Readonly<Record<string, [problem: string, hint: string]>> = {
  ENOENT: ['no such file or directory', 'Check the path; relative paths start at the current directory.'],
  EISDIR: ['this is a directory, a file was expected', 'Give the path of a file.'],
  EEXIST: ['a file is in the way, a directory was expected', 'Choose another path, or move the file away.'],
  ENOTDIR: ['a part of this path is a file, a directory was expected', 'Check the path.'],
  EACCES: ['permission denied', 'Choose a path that you may read and write, or change its permissions.'],
  EPERM: ['operation not permitted', 'Choose a path that you may read and write.'],
  EROFS: ['the file system is read-only', 'Choose a path on a writable file system.'],
  ENOSPC: ['no space left on the device', SPACE_HINT],
  EDQUOT: ['disk quota exceeded', SPACE_HINT],
  EFBIG: ['the file would be larger than is allowed here', 'Look at `ulimit -f` and at the file system.'],
  EIO: ['the device fails to read or write this', 'Look at the disk; go on from a copy on another one.'],
  EMFILE: ['too many open files', 'Raise the limit with `ulimit -n`.'],
  ENFILE: ['too many open files on this machine', 'End other programs, or raise fs.file-max.'],
  ELOOP: ['the symbolic links of this path lead in a circle', 'Look at them with `ls -l`.'],
  ENAMETOOLONG: ['the name is too long for the file system', 'Choose a shorter one.'],
  ENOTEMPTY: ['the folder is not empty: something has come into it meanwhile', 'Run the command again.'],
  EBUSY: ['this is in use by the system, as a mount point is', 'Choose another path, or one within it.'],
  EXDEV: ['a part of this path is on another file system', 'Choose a path on one file system.'],
  ETXTBSY: ['this program is running, and cannot be written', 'Choose another path, or end it first.'],
  ESTALE: ['the network file system has lost this file', 'Mount it anew, and run the command again.'],
  ENOTCONN: ['the file system does not answer', 'Mount it anew, and run the command again.'],
  ETIMEDOUT: ['the file system does not answer', 'Mount it anew, and run the command again.'],
  ENXIO: ['nobody is at the other end of this device or socket', PATH_HINT],
  ENODEV: ['there is no such device', PATH_HINT],
  EBADF: ['it is closed, or open for another direction', 'Look at the redirections of the command line.'],
  ENOMEM: [
    'out of memory',
    'End other programs, or raise the limits (`ulimit -v`, the memory of the container).',
  ],
  EAGAIN: ['the system has no more of this for now', 'Try again, or look at `ulimit -u` and `ulimit -n`.'],
};

/** An error as a call of the system gives it, for what the system does not refuse itself, or not in time. */
export function systemError(code: string): Error {
  return Object.assign(new Error(code), { code });
}

/** How Node says that it got no memory, or not so much in one piece: in errors without a call of the system. */
const OUT_OF_MEMORY =
  /^(Array buffer allocation failed|Invalid typed array length: \d+|Invalid string length)$/;
const MEMORY_CODES = new Set([
  'ERR_MEMORY_ALLOCATION_FAILED',
  'ERR_STRING_TOO_LONG',
  'ERR_BUFFER_TOO_LARGE',
  'ERR_FS_FILE_TOO_LARGE',
  'ERR_WORKER_OUT_OF_MEMORY',
  'ERR_WORKER_INIT_FAILED',
]);

/**
 * Turns what the system has refused (an error of Node with a code and a call, or one of memory) into a UserError that
 * names the path: it is never a bug. Anything else comes back as it is, and so does a broken pipe, which is no error.
 *
 * @param path the path to name where the error carries none
 */
export function explainFileError(error: unknown, path?: string): unknown {
  if (error instanceof UserError || !(error instanceof Error)) return error;
  const { code = '', path: errorPath } = error as NodeJS.ErrnoException;
  const found = SYSTEM_ERRORS[code] ?? inItsWords(error);
  if (found === undefined || isBrokenPipe(error)) return error;
  const Kind = code === 'EIO' || code === 'ELOOP' ? DamageError : UserError; // another copy would do
  return new Kind({ problem: found[0], where: path ?? errorPath, hint: found[1] }, { cause: error });
}

function inItsWords(error: NodeJS.ErrnoException): [problem: string, hint: string] | undefined {
  const { code = '', message, syscall } = error;
  if (syscall !== undefined && /^(?!ERR_)[A-Z0-9_]+$/.test(code)) {
    const [, said = message] = /^[A-Z0-9_]+: (.*?)(, \w+.*)?$/s.exec(message) ?? [];
    return [`the system refuses this: ${said} (${code}, ${syscall})`, PATH_HINT];
  }
  if (code === 'ERR_INVALID_ARG_VALUE' && message.includes('null bytes'))
    return ['a path cannot hold a NUL character', 'Check the path.'];
  if (MEMORY_CODES.has(code) || (error instanceof RangeError && OUT_OF_MEMORY.test(message)))
    return [`${SYSTEM_ERRORS.ENOMEM[0]}: ${message}`, SYSTEM_ERRORS.ENOMEM[1]];
  return undefined;
}

/** Whether a write has failed since nobody reads on, as in `… | head -1`. */
export function isBrokenPipe(error: unknown): boolean {
  const { code, syscall } = (error ?? {}) as NodeJS.ErrnoException;
  return code === 'EPIPE' && syscall === 'write';
}

/**
 * What a look at files has thrown, for a caller who goes on without them.
 *
 * @returns the error in the user's words
 * @throws what is neither the user's nor the surroundings': a bug stays one
 */
export function userErrorOf(error: unknown, path?: string): UserError {
  const explained = explainFileError(error, path);
  if (explained instanceof UserError) return explained;
  throw explained;
}

/** Whether the system refused something: what may work later, or elsewhere. */
export function isFileError(error: unknown): boolean {
  const thrown = error instanceof UserError ? error.cause : error;
  return thrown !== undefined && explainFileError(thrown) !== thrown;
}

/** The candidate nearest to `word` by edit distance, or undefined where none is near enough to be meant. */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(word.length * 0.4)) + 1;
  for (const candidate of candidates) {
    if (Math.abs(word.length - candidate.length) >= bestDistance) continue; // they differ by that at least
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/** Levenshtein distance, adjacent transpositions counted as one edit. */
function editDistance(a: string, b: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      row[j] = Math.min(row[j - 1] + 1, previous[j] + 1, previous[j - 1] + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        row[j] = Math.min(row[j], beforePrevious[j - 2] + 1);
      }
    }
    [beforePrevious, previous] = [previous, row];
  }
  return previous[b.length];
}
