import process from 'node:process';
import { ExitCode } from '../common/errors.js';
import { log } from '../common/log.js';
import type { TrainingSignals } from '../workflows/train/train.js';

/** SIGINT, SIGTERM and SIGHUP: save and end; a second one ends the process at once. SIGUSR1: save and go on. */
export function listenForSignals(): TrainingSignals {
  let received: 'SIGINT' | 'SIGTERM' | undefined;
  let save = false;
  const end = (signal: NodeJS.Signals): void => {
    if (received !== undefined) process.exit(signal === 'SIGINT' ? ExitCode.sigint : ExitCode.sigterm);
    received = signal === 'SIGINT' ? 'SIGINT' : 'SIGTERM';
    log.warn(`${signal}: saving after this update. Once more ends at once, without saving.`);
  };
  const request = (): void => {
    save = true;
    log.info('SIGUSR1: saving after this update.');
  };
  const listeners: [NodeJS.Signals, (signal: NodeJS.Signals) => void][] = [
    ['SIGINT', end],
    ['SIGTERM', end],
    ['SIGHUP', end],
    ['SIGUSR1', request],
  ];
  for (const [signal, listener] of listeners) process.on(signal, listener);
  return {
    received: () => received,
    saveRequested: () => {
      const asked = save;
      save = false;
      return asked;
    },
    stop: () => {
      for (const [signal, listener] of listeners) process.off(signal, listener);
    },
  };
}
