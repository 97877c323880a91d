import assert from 'node:assert/strict';
import { appendFileSync } from 'node:fs';
import * as path from 'node:path';
import { mock, test } from 'node:test';
import { log } from '../../../src/common/log.js';
import { parseGrid } from '../../../src/config/sweep-plan.js';
import { expandPlan } from '../../../src/workflows/sweep/plan.js';
import { describeCell, SweepProgress } from '../../../src/workflows/sweep/progress.js';
import { makeRun, scratchFolder } from '../../cli/run-folders.js';

const folder = scratchFolder();
const line = (event: string, updates: number, loss: number, rest = {}) =>
  `${JSON.stringify({ event, epoch: 2, num_updates: updates, wall: 1, loss, ...rest })}\n`;
const cellsOf = (...sets: string[]) =>
  expandPlan(
    { files: [], set: [], grid: [parseGrid('train.lr=0.1,0.2')], cells: [], seeds: [1], test: false },
    ['preset=tiny', 'data.train=x', ...sets],
    folder,
  ).cells;

test('where a cell is, its last line of training tells, however long the file', () => {
  const [cell] = cellsOf('train.max-update=500');
  assert.equal(describeCell(folder, cell), undefined);
  const samples = [{ source: 'x'.repeat(30_000), reference: '', hypothesis: '' }];
  makeRun(path.join(folder, cell.name), {
    metrics: `${line('train', 10, 9)}${line('valid', 10, 8, { samples })}`.repeat(5) + line('train', 20, 7.5),
  });
  assert.equal(describeCell(folder, cell), 'lr=0.1,seed=1: 20/500 updates, loss 7.500');
  appendFileSync(path.join(folder, cell.name, 'metrics.jsonl'), `${line('valid', 20, 5)}{"event":"tra`);
  assert.equal(describeCell(folder, cell), 'lr=0.1,seed=1: 20/500 updates, loss 7.500');
  const [byEpochs] = cellsOf('train.max-update=null', 'train.max-epoch=9');
  assert.equal(describeCell(folder, byEpochs), 'lr=0.1,seed=1: 20 updates (epoch 2/9), loss 7.500');
});

test('a sweep says how far its cells are while they train', () => {
  mock.timers.enable({ apis: ['setInterval'] });
  const said: string[] = [];
  mock.method(log, 'info', (message: string) => said.push(message));
  try {
    const [first, second] = cellsOf('train.max-update=500');
    makeRun(path.join(folder, second.name), { metrics: line('train', 30, 6) });
    const progress = new SweepProgress(folder, 2, 0);
    progress.begin(first);
    progress.begin(second);
    mock.timers.tick(2000);
    assert.match(
      said.join(),
      /^sweep 0\/2 cells · lr=0\.1,seed=1: 20\/500 updates, loss 7\.500 · lr=0\.2,seed=1: 30\/500 updates, loss 6\.000 · /,
    );
    progress.end(first);
    progress.stop();
    assert.match(said.join('\n'), /\nsweep 1\/2 cells · lr=0\.2,seed=1: 30\/500/);
    const count = said.length;
    mock.timers.tick(600_000);
    assert.equal(said.length, count);
  } finally {
    mock.restoreAll();
    mock.timers.reset();
  }
});
