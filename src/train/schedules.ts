import type { TrainConfig } from '../config/schema.js';

export type ScheduleOptions = Pick<
  TrainConfig,
  'lrScheduler' | 'lr' | 'warmupUpdates' | 'warmupInitLr' | 'endLr' | 'power' | 'maxUpdate'
>;

/** Learning rate of the next update, given how many updates are done. */
export type Schedule = (updates: number) => number;

/**
 * The schedules as fairseq has them (optim/lr_scheduler; `linear` is radam_fairseq/linear_schedule.py of the
 * official code). All share its linear warmup, lr₀ + u·(lr − lr₀)/w; where fairseq's polynomial and fixed schedules
 * start from 0, `warmup-init-lr: 0` does.
 */
export function createSchedule(options: ScheduleOptions): Schedule {
  const { lr, warmupUpdates, warmupInitLr } = options;
  const decay = createDecay(options);
  return (updates) =>
    updates < warmupUpdates ? warmupInitLr + (updates * (lr - warmupInitLr)) / warmupUpdates : decay(updates);
}

function createDecay({ lrScheduler, lr, warmupUpdates, endLr, power, maxUpdate }: ScheduleOptions): Schedule {
  /** What is left of the way from warmup to max-update: 1 … 0. */
  const left: Schedule = (updates) =>
    Math.max(0, 1 - (updates - warmupUpdates) / (maxUpdate! - warmupUpdates));
  switch (lrScheduler) {
    case 'constant':
      return () => lr;
    case 'inverse-sqrt': {
      const peak = Math.max(1, warmupUpdates); // without warmup: lr/√u
      return (updates) => lr * Math.sqrt(peak / Math.max(peak, updates));
    }
    case 'linear':
      return (updates) => endLr + (lr - endLr) * left(updates);
    case 'polynomial':
      return (updates) => endLr + (lr - endLr) * left(updates) ** power;
    case 'cosine':
      return (updates) => endLr + 0.5 * (lr - endLr) * (1 - Math.cos(Math.PI * left(updates)));
  }
}
