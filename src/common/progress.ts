import process from 'node:process';
import cliProgress from 'cli-progress';
import { log } from './log.js';

export interface Progress {
  /** Sets how far the work is, in units of `total`, with the figures to show beside it. */
  update(done: number, figures?: string): void;
  /** Prints a message above the bar. */
  note(message: string): void;
  stop(): void;
}

export interface ProgressOptions {
  label: string;
  /** Units in all; undefined where it is not known. */
  total?: number;
  unit?: string;
  /** Units that were done before: the speed is that of the rest. */
  start?: number;
  /** Where there is no terminal: the least milliseconds between two lines. */
  plainEvery?: number;
}

/** A bar on a terminal (stderr), a plain line every now and then elsewhere. */
export function startProgress(options: ProgressOptions): Progress {
  return process.stderr.isTTY === true && process.env.TERM !== 'dumb'
    ? new Bar(options)
    : new PlainLines(options);
}

class Bar implements Progress {
  private readonly bar: cliProgress.SingleBar;
  private readonly label: string;

  constructor({ label, total, unit = '', start = 0 }: ProgressOptions) {
    this.label = label;
    const format =
      total === undefined
        ? `{label} {value}${unit && ` ${unit}`} · {duration_formatted} {figures}`
        : `{label} {bar} {percentage}% {value}/{total}${unit && ` ${unit}`} · ETA {eta_formatted} {figures}`;
    this.bar = new cliProgress.SingleBar(
      { format, stream: process.stderr, hideCursor: true, etaBuffer: 50, barsize: 24, fps: 5 },
      cliProgress.Presets.shades_classic,
    );
    this.bar.start(total ?? 0, start, { label, figures: '' });
  }

  update(done: number, figures = ''): void {
    this.bar.update(done, { label: this.label, figures: figures && `· ${figures}` });
  }

  note(message: string): void {
    process.stderr.write(`\r\u001b[K${message}\n`);
  }

  stop(): void {
    this.bar.stop();
  }
}

class PlainLines implements Progress {
  private readonly options: ProgressOptions;
  private readonly started = performance.now();
  private lastLine = -Infinity;
  private last: { done: number; figures: string } | undefined;
  private printed = true;

  constructor(options: ProgressOptions) {
    this.options = options;
  }

  update(done: number, figures = ''): void {
    this.last = { done, figures };
    this.printed = false;
    const now = performance.now();
    if (now - this.lastLine < (this.options.plainEvery ?? 5000)) return;
    this.lastLine = now;
    this.print();
  }

  note(message: string): void {
    log.info(message);
  }

  stop(): void {
    if (!this.printed) this.print();
  }

  private print(): void {
    const { label, total, unit = '', start = 0 } = this.options;
    const { done, figures } = this.last!;
    const elapsed = (performance.now() - this.started) / 1000;
    const parts = [`${label} ${done}${total === undefined ? '' : `/${total}`}${unit && ` ${unit}`}`];
    if (figures) parts.push(figures);
    if (total !== undefined && done > start && done < total)
      parts.push(`ETA ${formatSeconds((elapsed * (total - done)) / (done - start))}`);
    else parts.push(formatSeconds(elapsed));
    log.info(parts.join(' · '));
    this.printed = true;
  }
}

/** `42s`, `3m07s`, `2h05m`. */
export function formatSeconds(seconds: number): string {
  const s = Math.round(seconds);
  if (s < 60) return `${s}s`;
  if (s < 3600) return `${Math.floor(s / 60)}m${String(s % 60).padStart(2, '0')}s`;
  return `${Math.floor(s / 3600)}h${String(Math.floor((s % 3600) / 60)).padStart(2, '0')}m`;
}
