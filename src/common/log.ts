import process from 'node:process';
import { messages } from './terminal-line.js';

/** Whether stderr takes colours: `FORCE_COLOR` and `NO_COLOR` decide, else whether it is a terminal. */
export function colorEnabled(env: NodeJS.ProcessEnv = process.env): boolean {
  if (env.NO_COLOR !== undefined && env.NO_COLOR !== '') return false;
  if (env.FORCE_COLOR !== undefined && env.FORCE_COLOR !== '0') return true;
  return process.stderr.isTTY === true && env.TERM !== 'dumb';
}

const ANSI = { red: 31, green: 32, yellow: 33, blue: 34, cyan: 36, dim: 2, bold: 1 } as const;

/** `text` in a colour where stderr takes colours. */
export function paint(color: keyof typeof ANSI, text: string): string {
  return colorEnabled() ? `\u001b[${ANSI[color]}m${text}\u001b[0m` : text;
}

let quiet = false;

/** All messages go to stderr, above a bar that is there: stdout is for data. */
export const log = {
  /** Drops `info`; warnings and errors stay. */
  setQuiet(value: boolean): void {
    quiet = value;
  },
  info(message: string): void {
    if (!quiet) messages.print(message);
  },
  warn(message: string): void {
    messages.print(`${paint('yellow', 'warning:')} ${message}`);
  },
  error(message: string): void {
    messages.print(`${paint('red', 'error:')} ${message}`);
  },
};
