import process from 'node:process';
import { openAtomic } from '../common/file-output.js';
import { checkStandardOutput, explainOutputError } from '../common/standard-output.js';
import type { LineOutput } from '../workflows/translate.js';

/** Standard output (`-`), or a file that takes its place when it is whole. */
export function openLineOutput(target: string): LineOutput {
  return target === '-' ? standardOutput() : fileOutput(target);
}

function standardOutput(): LineOutput {
  checkStandardOutput();
  // Without a listener a broken pipe would end the process; the error comes to the callback of write as well.
  const ignore = (): void => {};
  process.stdout.on('error', ignore);
  return {
    isTerminal: process.stdout.isTTY === true,
    write: (text) =>
      new Promise((resolve, reject) => {
        process.stdout.write(text, (error) => {
          if (!error) resolve(true);
          else if ((error as NodeJS.ErrnoException).code === 'EPIPE') resolve(false);
          else reject(explainOutputError(error));
        });
      }),
    commit: () => {},
    close: () => {
      // The listener stays: the stream of a broken pipe may report once more when the process ends.
    },
  };
}

function fileOutput(target: string): LineOutput {
  const file = openAtomic(target);
  // A signal ends the process as ever, once the unfinished file is away.
  const interrupt = (signal: NodeJS.Signals): void => {
    close();
    process.kill(process.pid, signal);
  };
  const close = (): void => {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
    file.discard();
  };
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
  return {
    isTerminal: false,
    write: async (text) => {
      file.write(text);
      return true;
    },
    commit: () => file.commit(),
    close,
  };
}
