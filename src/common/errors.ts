/**
 * Exit codes of the program (see docs/errors.md): done, a bug of ours or a training that diverged, the user's input,
 * interrupted after saving.
 */
export const ExitCode = { ok: 0, bug: 1, diverged: 1, user: 2, sigint: 130, sigterm: 143 } as const;

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

/** `where: problem` and the hint on a line of its own, as it is shown to the user. */
export function formatComplaint({ problem, where, hint }: Complaint): string {
  const head = where === undefined ? problem : `${where}: ${problem}`;
  return hint === undefined ? head : `${head}\n  ${hint}`;
}

/** A training that has come to nothing: neither a bug nor a mistake in the input. Its message is all there is to say. */
export class DivergenceError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'DivergenceError';
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

const FILE_SYSTEM_HINTS: Record<string, [problem: string, hint: string]> = {
  ENOENT: ['no such file or directory', 'Check the path; relative paths start at the current directory.'],
  EISDIR: ['this is a directory, a file was expected', 'Give the path of a file.'],
  EEXIST: ['a file is in the way, a directory was expected', 'Choose another path, or move the file away.'],
  ENOTDIR: ['a part of this path is a file, a directory was expected', 'Check the path.'],
  EACCES: ['permission denied', 'Choose a path that you may read and write, or change its permissions.'],
  EPERM: ['operation not permitted', 'Choose a path that you may read and write.'],
  EROFS: ['the file system is read-only', 'Choose a path on a writable file system.'],
  ENOSPC: [
    'no space left on the device',
    'Free some space and run the command again; nothing was half-written.',
  ],
  EDQUOT: ['disk quota exceeded', 'Free some space and run the command again; nothing was half-written.'],
  EIO: ['the device fails to read or write this', 'Look at the disk; go on from a copy on another one.'],
  EMFILE: ['too many open files', 'Raise the limit with `ulimit -n`.'],
};

/**
 * Turns a file system error of Node into a UserError that names the path; anything else comes back as it is.
 *
 * @param path the path to name where the error carries none
 */
export function explainFileError(error: unknown, path?: string): unknown {
  const { code, path: errorPath } = (error ?? {}) as NodeJS.ErrnoException;
  const known = code === undefined ? undefined : FILE_SYSTEM_HINTS[code];
  if (known === undefined || error instanceof UserError) return error;
  const Kind = code === 'EIO' ? DamageError : UserError;
  return new Kind({ problem: known[0], where: path ?? errorPath, hint: known[1] }, { cause: error });
}

/** Whether the file system refused something: what may work later, or elsewhere. */
export function isFileError(error: unknown): boolean {
  const { code, syscall } = ((error as Error)?.cause ?? error ?? {}) as NodeJS.ErrnoException;
  return typeof code === 'string' && syscall !== undefined;
}

/** The candidate nearest to `word` by edit distance, or undefined where none is near enough to be meant. */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(word.length * 0.4)) + 1;
  for (const candidate of candidates) {
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
