import process from 'node:process';
import { Writable } from 'node:stream';
import cliProgress from 'cli-progress';
import { formatDuration } from './duration.js';
import { log } from './log.js';
import { messages, type TerminalLine } from './terminal-line.js';

export interface Progress {
  /**
   * Sets how far the work is, in units of `total`.
   *
   * @param figures to show beside it, the most telling first: the last are left out where a terminal is narrow
   */
  update(done: number, figures?: readonly string[]): void;
  stop(): void;
}

export interface ProgressOptions {
  label: string;
  /** Units in all; a function where they are only estimated, which is asked anew each time; undefined where unknown. */
  total?: number | (() => number | undefined);
  unit?: string;
  /** Units that were done before: the speed is that of the rest. */
  start?: number;
  /** Where the work ends after some time, if not before. */
  timeLimit?: TimeLimit;
  /** Where there is no terminal: the least milliseconds between two lines. */
  plainEvery?: number;
}

/** In seconds. */
export interface TimeLimit {
  whole: number;
  /** Those that had passed before. */
  spent: number;
}

/** A bar on a terminal (stderr), a plain line every now and then elsewhere. Messages (`log`) stand above the bar. */
export function startProgress(options: ProgressOptions): Progress {
  if (!log.isShown) return { update: () => {}, stop: () => {} };
  return process.stderr.isTTY === true && process.env.TERM !== 'dumb'
    ? new Bar(options, messages)
    : new PlainLines(options);
}

/** How far some work is. */
class Course {
  done: number;
  figures: readonly string[] = [];
  private readonly options: ProgressOptions;
  private readonly started = performance.now();

  constructor(options: ProgressOptions) {
    this.options = options;
    this.done = options.start ?? 0;
  }

  private get total(): number | undefined {
    const { total } = this.options;
    return typeof total === 'function' ? total() : total;
  }

  /** Seconds. */
  private get elapsed(): number {
    return (performance.now() - this.started) / 1000;
  }

  /** From 0 to 1, by units or by time, whichever ends first; undefined where no end is known. */
  get fraction(): number | undefined {
    const { timeLimit } = this.options;
    const { total } = this;
    if (total === undefined && timeLimit === undefined) return undefined;
    const ofUnits = total === undefined ? 0 : this.done / (total || 1);
    const ofTime = timeLimit === undefined ? 0 : (timeLimit.spent + this.elapsed) / timeLimit.whole;
    return Math.min(1, Math.max(ofUnits, ofTime));
  }

  /** Seconds to the end, whichever comes first; Infinity where it is not known. */
  private get left(): number {
    const { start = 0, timeLimit } = this.options;
    const { done, elapsed, total = Infinity } = this;
    const ofUnits = done > start ? (elapsed * (total - done)) / (done - start) : Infinity;
    const ofTime = timeLimit === undefined ? Infinity : timeLimit.whole - timeLimit.spent - elapsed;
    return Math.max(0, Math.min(ofUnits, ofTime));
  }

  /** `450/1000`; `450` where the end is estimated or unknown, until it is reached. */
  get count(): string {
    const isKnown = typeof this.options.total === 'number' || this.done === this.total;
    return isKnown ? `${this.done}/${this.total}` : `${this.done}`;
  }

  /** `ETA 3m07s`; the time that the work has taken where it is over, or its end is not known. */
  time(over: boolean): string {
    const { left } = this;
    return over || left === Infinity || this.done === this.total
      ? formatDuration(this.elapsed)
      : `ETA ${formatDuration(left)}`;
  }
}

/** Columns of the bar itself, on a terminal with so many and on a narrower one. */
const BAR = { roomy: 100, wide: 24, narrow: 10 };

/** One line of a terminal. cli-progress draws the bar and keeps the time; where it stands is the line's own affair. */
class Bar implements Progress {
  private readonly bar: cliProgress.SingleBar;
  private readonly course: Course;
  private readonly options: ProgressOptions;
  private readonly line: TerminalLine;
  private over = false;

  constructor(options: ProgressOptions, line: TerminalLine) {
    this.options = options;
    this.line = line;
    this.course = new Course(options);
    const write = (chunk: unknown, _: string, done: () => void): void => {
      const text = String(chunk);
      if (text !== '\n') line.show(text);
      done();
    };
    this.bar = new cliProgress.SingleBar(
      {
        format: (settings, { progress }) => this.describe(settings, progress),
        barsize: BAR.wide,
        // To cli-progress it is no terminal: on one it saves the cursor's place, which scrolling makes another.
        stream: new Writable({ decodeStrings: false, write }),
        noTTYOutput: true,
        notTTYSchedule: 200,
      },
      cliProgress.Presets.shades_classic,
    );
    this.bar.start(1, this.course.fraction ?? 0);
    process.once('exit', this.leave); // the shell's prompt is not to stand in the bar
  }

  update(done: number, figures: readonly string[] = []): void {
    Object.assign(this.course, { done, figures });
    this.bar.update(this.course.fraction ?? 0);
  }

  stop(): void {
    if (this.over) return;
    this.over = true;
    process.off('exit', this.leave);
    this.bar.stop(); // draws once more
    this.line.finish();
  }

  private readonly leave = (): void => this.line.finish();

  /** As many figures as there is room for; none at the end, when the messages below tell the last ones. */
  private describe(settings: cliProgress.Options, progress: number): string {
    const { label, unit } = this.options;
    const { fraction, count, figures } = this.course;
    const { width } = this.line;
    const roomy = width >= BAR.roomy;
    const barsize = roomy ? BAR.wide : BAR.narrow;
    const bar = cliProgress.Format.BarFormat(progress, { ...settings, barsize });
    const percent = `${Math.floor(100 * progress)}%`.padStart(4);
    const head = [
      label,
      ...(fraction === undefined ? [] : [bar, percent]),
      ...(unit && (roomy || fraction === undefined) ? [`${count} ${unit}`] : [count]),
    ].join(' ');
    const parts = [head, this.course.time(this.over), ...(this.over ? [] : figures)];
    while (parts.length > 1 && parts.join(' · ').length > width) parts.pop();
    return parts.join(' · ');
  }
}

class PlainLines implements Progress {
  private readonly options: ProgressOptions;
  private readonly course: Course;
  private lastLine = -Infinity;
  private printed = true;

  constructor(options: ProgressOptions) {
    this.options = options;
    this.course = new Course(options);
  }

  update(done: number, figures: readonly string[] = []): void {
    Object.assign(this.course, { done, figures });
    this.printed = false;
    const now = performance.now();
    if (now - this.lastLine < (this.options.plainEvery ?? 5000)) return;
    this.lastLine = now;
    this.print(false);
  }

  stop(): void {
    if (!this.printed) this.print(true);
  }

  private print(over: boolean): void {
    const { label, unit = '' } = this.options;
    const { count, figures } = this.course;
    log.info([`${label} ${count}${unit && ` ${unit}`}`, ...figures, this.course.time(over)].join(' · '));
    this.printed = true;
  }
}
