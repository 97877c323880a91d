import type { PageOrigin } from '../../src/report/page-header.js';
import type { MetricsPoint, TrainingRun } from '../../src/report/training-run.js';

/** A line of training. */
export function line(updates: number, epoch: number, more: Partial<MetricsPoint> = {}): MetricsPoint {
  const figures = { loss: 5, ppl: 20, lr: 0.001, gnorm: 1, clip: 0, wps: 1000 };
  return { event: 'train', epoch, num_updates: updates, wall: updates * 36, ...figures, ...more };
}

/** A validation. */
export function valid(updates: number, epoch: number, loss: number): MetricsPoint {
  return { event: 'valid', epoch, num_updates: updates, wall: updates * 36, loss, ppl: 2 ** loss };
}

/** A run of two epochs with one layer of ω. */
export function trainingRun(name: string, changes: Partial<TrainingRun> = {}): TrainingRun {
  return {
    name,
    state: 'finished',
    updates: 40,
    epoch: 2,
    seconds: 1440,
    best: { loss: 4.5, updates: 40, epoch: 2 },
    bestScores: {},
    trainLoss: 5,
    validLoss: 4.5,
    speed: 1000,
    precision: 'float32',
    lines: [10, 20, 30, 40].flatMap((u) => [
      line(u, u > 20 ? 2 : 1),
      ...(u % 20 === 0 ? [valid(u, u / 20, 5 - u / 80)] : []),
    ]),
    facts: [['Model', 'admin, 2 + 2 layers']],
    settings: new Map([['train.lr', '0.001']]),
    weights: {
      checkpoint: 'checkpoint_2_40',
      parameters: 1234,
      omega: [
        {
          stack: 'encoder',
          layer: 0,
          sublayer: 'self',
          start: 1,
          mean: 1.1,
          deviation: 0.1,
          least: 0.9,
          most: 1.3,
        },
        { stack: 'encoder', layer: 0, sublayer: 'fc', start: null, mean: 2, deviation: 0, least: 2, most: 2 },
      ],
      norms: [{ stack: 'encoder', layer: 0, part: 'feed-forward fc1', norm: 3 }],
    },
    ...changes,
  };
}

/** How a page of the tests comes to be. */
export const ORIGIN: PageOrigin = {
  version: '1.2.3',
  date: '2020-11-16 09:30 UTC',
  command: "admin-nmt report '<run>'",
};
