import * as path from 'node:path';
import { type Progress, startProgress } from '../../common/progress.js';
import { lastUpdate } from '../runs/metrics.js';
import type { Cell } from './plan.js';

/** Milliseconds between two looks at what the cells have written. */
const LOOK_EVERY = 2000;
/** And between two lines where there is no terminal. */
const PLAIN_EVERY = 60_000;

/** Shows how far a sweep is while its cells train: they say it in files of their own. */
export class SweepProgress {
  private readonly folder: string;
  private readonly progress: Progress;
  private readonly timer: NodeJS.Timeout;
  private readonly running = new Set<Cell>();
  private done: number;

  /**
   * @param folder of the sweep
   * @param total cells
   * @param done cells that need nothing more
   */
  constructor(folder: string, total: number, done: number) {
    this.folder = folder;
    this.done = done;
    const units = { label: 'sweep', unit: 'cells', total, start: done };
    this.progress = startProgress({ ...units, plainEvery: PLAIN_EVERY });
    this.timer = setInterval(() => this.show(), LOOK_EVERY);
  }

  begin(cell: Cell): void {
    this.running.add(cell);
  }

  end(cell: Cell): void {
    this.running.delete(cell);
    this.done++;
    this.show();
  }

  stop(): void {
    clearInterval(this.timer);
    this.progress.stop();
  }

  private show(): void {
    const figures = [...this.running].flatMap((cell) => describeCell(this.folder, cell) ?? []);
    if (figures.length > 0) this.progress.update(this.done, figures);
  }
}

/** `lr=0.003,seed=1: 150/275 updates, loss 7.312`; undefined before its first line. */
export function describeCell(folder: string, { name, config }: Cell): string | undefined {
  const last = lastUpdate(path.join(folder, name));
  if (last === undefined) return undefined;
  const { maxUpdate, maxEpoch } = config.train;
  const updates = `${last.num_updates}${maxUpdate === null ? '' : `/${maxUpdate}`} updates`;
  const epochs = maxUpdate === null && maxEpoch !== null ? ` (epoch ${last.epoch}/${maxEpoch})` : '';
  return `${name}: ${updates}${epochs}${last.loss === undefined ? '' : `, loss ${last.loss.toFixed(3)}`}`;
}
