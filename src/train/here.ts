import type { Moment } from './ranks.js';
import type { Saver } from './saver.js';
import { Deadline } from './stopping.js';
import type { TrainerOptions } from './training.js';

type Asked = Pick<TrainerOptions, 'interrupted' | 'saveRequested' | 'stopAfter'>;

/** What is so in this process, each as it is asked for. */
export class Here implements Moment {
  private readonly asked: Asked;
  private readonly saver: Saver;
  private readonly deadline: Deadline;
  /** Time of a start at which no second of training had passed. */
  private readonly startedAt: number;
  private saveWanted = false;

  /** @param seconds of training before */
  constructor(asked: Asked, saver: Saver, seconds: number) {
    this.asked = asked;
    this.saver = saver;
    this.deadline = new Deadline(asked.stopAfter ?? null);
    this.startedAt = performance.now() - 1000 * seconds;
  }

  get signal(): Moment['signal'] {
    return this.asked.interrupted() ?? (this.deadline.isNear(this.saver.longest) ? 'SIGTERM' : undefined);
  }

  get save(): boolean {
    this.saveWanted ||= this.asked.saveRequested?.() ?? false;
    return this.saveWanted;
  }

  get retry(): boolean {
    return this.saver.retryDue;
  }

  get lost(): boolean {
    return this.saver.savedAt < 0;
  }

  get seconds(): number {
    return (performance.now() - this.startedAt) / 1000;
  }

  /** What asked for a checkpoint has got one. */
  answered(): void {
    this.saveWanted = false;
  }

  /** Learns how long an update takes. */
  note(updateSeconds: number): void {
    this.deadline.note(updateSeconds);
  }
}
