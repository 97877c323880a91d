import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSchedule, type ScheduleOptions } from '../../src/train/schedules.js';

const OPTIONS: ScheduleOptions = {
  lrScheduler: 'inverse-sqrt',
  lr: 0.5,
  warmupUpdates: 4,
  warmupInitLr: 0.1,
  endLr: 0.1,
  power: 2,
  maxUpdate: 12,
};

/** Learning rates after so many updates, worked by hand. Warmup: 0.1, 0.2, 0.3, 0.4. */
const WORKED: [ScheduleOptions['lrScheduler'], [updates: number, lr: number][]][] = [
  // 0.5·√4/√u
  [
    'inverse-sqrt',
    [
      [4, 0.5],
      [9, 1 / 3],
      [16, 0.25],
      [400, 0.05],
    ],
  ],
  // 0.1 + 0.4·(1 − (u − 4)/8), and 0.1 from update 12 on
  [
    'linear',
    [
      [4, 0.5],
      [6, 0.4],
      [11, 0.15],
      [12, 0.1],
      [20, 0.1],
    ],
  ],
  // 0.1 + 0.4·(1 − (u − 4)/8)²
  [
    'polynomial',
    [
      [4, 0.5],
      [6, 0.325],
      [8, 0.2],
      [10, 0.125],
      [12, 0.1],
    ],
  ],
  [
    'constant',
    [
      [4, 0.5],
      [100, 0.5],
    ],
  ],
  // 0.1 + 0.2·(1 + cos(π·(u − 4)/8))
  [
    'cosine',
    [
      [4, 0.5],
      [6, 0.3 + 0.2 * Math.SQRT1_2],
      [8, 0.3],
      [10, 0.3 - 0.2 * Math.SQRT1_2],
      [12, 0.1],
      [30, 0.1],
    ],
  ],
];

const close = (actual: number, expected: number, what: string): void =>
  assert.ok(Math.abs(actual - expected) < 1e-12, `${what}: ${actual}, expected ${expected}`);

for (const [lrScheduler, points] of WORKED) {
  test(`${lrScheduler}: warmup, then its own way`, () => {
    const schedule = createSchedule({ ...OPTIONS, lrScheduler });
    for (const [updates, lr] of [0.1, 0.2, 0.3, 0.4].entries())
      close(schedule(updates), lr, `warmup ${updates}`);
    for (const [updates, lr] of points) close(schedule(updates), lr, `after ${updates}`);
  });
}

test('without warmup every schedule starts at its peak', () => {
  for (const [lrScheduler] of WORKED) {
    close(createSchedule({ ...OPTIONS, lrScheduler, warmupUpdates: 0 })(0), 0.5, lrScheduler);
  }
  close(createSchedule({ ...OPTIONS, warmupUpdates: 0 })(25), 0.1, 'inverse-sqrt without warmup is lr/√u');
});

test('the recipe of the paper: 7e-4 after 6000 updates from 1e-7', () => {
  const schedule = createSchedule({ ...OPTIONS, lr: 7e-4, warmupUpdates: 6000, warmupInitLr: 1e-7 });
  close(schedule(0), 1e-7, 'first update');
  close(schedule(3000), (7e-4 + 1e-7) / 2, 'half of the warmup');
  close(schedule(24_000), 3.5e-4, 'four times the warmup');
});
