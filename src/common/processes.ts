import { readFileSync } from 'node:fs';
import process from 'node:process';

/** Whether this machine has a process of that number. One that has ended counts as none, also while nobody has asked how it ended. */
export function isRunning(processId: number): boolean {
  try {
    process.kill(processId, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  return statusOf(processId)[STATE] !== 'Z';
}

/** Fields of proc(5) after the name of the program. */
const STATE = 0;
const BEGINNING = 19;

/** Empty where the system does not tell. */
function statusOf(processId: number): readonly string[] {
  try {
    const stat = readFileSync(`/proc/${processId}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return [];
  }
}

/**
 * When a process began, in clock ticks since the boot (proc(5)), so that a number that is used again is told apart; ''
 * where the system does not tell.
 */
export const beginningOf = (processId: number): string => statusOf(processId)[BEGINNING] ?? '';
