import process from 'node:process';
import { messages } from './terminal-line.js';

/** Whether stderr takes colours: `FORCE_COLOR` and `NO_COLOR` decide, else whether it is a terminal. */
export function colorEnabled(env: Readonly<Record<string, string | undefined>> = process.env): boolean {
  if (env.NO_COLOR !== undefined && env.NO_COLOR !== '') return false;
  if (env.FORCE_COLOR !== undefined && env.FORCE_COLOR !== '0') return true;
  return process.stderr.isTTY === true && env.TERM !== 'dumb';
}

const ANSI = { red: 31, green: 32, yellow: 33, blue: 34, cyan: 36, dim: 2, bold: 1 } as const;

/** `text` in a colour where stderr takes colours. */
export function paint(color: keyof typeof ANSI, text: string): string {
  return colorEnabled() ? `\u001b[${ANSI[color]}m${text}\u001b[0m` : text;
}

export type Level = 'info' | 'warning' | 'error';

/** Takes messages; each is a text of one or more lines. */
export type MessageListener = (level: Level, message: string) => void;

const COLOURS = { warning: 'yellow', error: 'red' } as const;

const print: MessageListener = (level, message) => {
  messages.print(level === 'info' ? message : `${paint(COLOURS[level], `${level}:`)} ${message}`);
};

let quiet = false;
let listener = print;

/** All messages go to stderr, above a bar that is there: stdout is for data. A program that embeds this one hears them itself. */
export const log = {
  /** Drops `info`; warnings and errors stay. */
  setQuiet(value: boolean): void {
    quiet = value;
  },
  /** Hands all messages to a listener from now on, and shows neither them nor progress. */
  setListener(value: MessageListener): void {
    listener = value;
  },
  /** Whether messages are shown. */
  get isShown(): boolean {
    return listener === print;
  },
  info(message: string): void {
    if (!quiet) listener('info', message);
  },
  warn(message: string): void {
    listener('warning', message);
  },
  error(message: string): void {
    listener('error', message);
  },
};
