import process from 'node:process';
import { setImmediate } from 'node:timers/promises';
import {
  DivergenceError,
  ExitCode,
  explainFileError,
  formatComplaint,
  InterruptedError,
  isBrokenPipe,
  UserError,
  WrongResultsError,
} from '../common/errors.js';
import { packageVersion } from '../common/files.js';
import { log } from '../common/log.js';
import { explainOutputError, refuseLostOutput } from '../common/standard-output.js';

/**
 * What is done before the process ends: it says its outcome, with the exit code, and takes leave of what it works with.
 *
 * @param failed whether it ends with an error, that of an interruption aside
 */
export type Leave = (failed: boolean, say: () => Promise<number>) => Promise<number>;

/**
 * Runs the program and ends the process with the exit code that its outcome asks for: the only place that
 * does. Output that is still on its way is written first.
 */
export async function runToExit(work: () => Promise<void>, leave: Leave = (_, say) => say()): Promise<void> {
  refuseLostOutput();
  let ending = false;
  const end = async (outcome?: { thrown: unknown }): Promise<void> => {
    if (ending) return; // the first outcome counts
    ending = true;
    const failed = outcome !== undefined && !isBrokenPipe(outcome.thrown);
    const code = await leave(failed && !(outcome.thrown instanceof InterruptedError), async () => {
      process.exitCode = outcome === undefined ? ExitCode.ok : exitCodeOf(outcome.thrown);
      await Promise.all([process.stdout, process.stderr].map(flush));
      return process.exitCode;
    });
    process.exit(process.exitCode === ExitCode.ok ? code : process.exitCode); // threads of a backend may be waiting for work
  };
  process.on('uncaughtException', (thrown) => end({ thrown }));
  process.stdout.on('error', (error) => {
    const thrown = isBrokenPipe(error) ? error : explainOutputError(error);
    if (!ending) void end({ thrown });
    else if (process.exitCode === ExitCode.ok) process.exitCode = exitCodeOf(thrown); // what was written last
  });
  // Nobody reads the messages any more: that is no reason to stop the work.
  process.stderr.on('error', () => {});
  let outcome: { thrown: unknown } | undefined;
  try {
    await work();
  } catch (thrown) {
    outcome = { thrown };
  }
  await setImmediate(); // lets an error of stdout be heard, also of help, which ends with a throw
  await end(outcome);
}

function flush(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.writableLength === 0 || stream.destroyed) resolve();
    else stream.write('', () => resolve());
  });
}

/** Says on stderr what went wrong. @returns the exit code */
export function exitCodeOf(thrown: unknown): number {
  if (isBrokenPipe(thrown)) return ExitCode.ok; // as `| head` asks for
  const error = explainFileError(thrown);
  if (error instanceof InterruptedError) {
    log.warn(error.message);
    return error.signal === 'SIGINT' ? ExitCode.sigint : ExitCode.sigterm;
  }
  if (error instanceof UserError) {
    for (const complaint of error.complaints) log.error(formatComplaint(complaint));
    if (process.env.DEBUG && error.stack) log.error(error.stack);
    return ExitCode.user;
  }
  if (error instanceof DivergenceError) {
    log.error(error.message);
    return ExitCode.diverged;
  }
  if (error instanceof WrongResultsError) {
    log.error(error.message);
    return ExitCode.wrong;
  }
  reportBug(error);
  return ExitCode.bug;
}

function reportBug(error: unknown): void {
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  log.error(
    `${message}\n${stack}\n\nThis is a bug of admin-nmt, not a mistake of yours. Please report the lines above with the command and\n` +
      `  admin-nmt ${packageVersion()}, Node.js ${process.version}, ${process.platform} ${process.arch}`,
  );
}
