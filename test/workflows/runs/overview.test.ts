import assert from 'node:assert/strict';
import { utimesSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { describe, test } from 'node:test';
import { openRun } from '../../../src/workflows/runs/overview.js';
import { makeRun, type RunFiles, scratchFolder, trainLine, validLine } from '../../cli/run-folders.js';

const overview = (files: RunFiles) => openRun(makeRun(scratchFolder(), files), 'name').overview;
const stateOf = (files: RunFiles) => overview(files).state;
const METRICS = trainLine(10, 9) + trainLine(20, 5);

describe('what became of a run', () => {
  test('finished: its checkpoint is where training ends', () => {
    const sets = ['train.max-update=20', 'train.max-epoch=null'];
    assert.equal(stateOf({ sets, metrics: METRICS, state: { updates: 20 }, age: 0 }), 'finished');
    assert.equal(stateOf({ sets, metrics: METRICS, state: { updates: 10 } }), 'interrupted');
    const longer = METRICS + trainLine(30, 4);
    assert.equal(stateOf({ sets, metrics: longer, state: { updates: 20 }, lock: 'own' }), 'running');
  });

  test('finished: at the end of the last epoch, not within it', () => {
    const sets = ['train.max-update=null', 'train.max-epoch=2'];
    const at = (position: number) =>
      stateOf({ sets, metrics: METRICS, state: { updates: 100 + position, epoch: 2, position } });
    assert.deepEqual([at(100), at(50)], ['finished', 'interrupted']);
  });

  test('running: a process holds its lock, however long it writes nothing', () => {
    assert.equal(stateOf({ metrics: METRICS, lock: 'own', age: 86_400 }), 'running');
    assert.equal(stateOf({ lock: 'own' }), 'running');
  });

  test('interrupted: nobody holds its lock, however young its last line', () => {
    assert.equal(stateOf({ metrics: METRICS, age: 0 }), 'interrupted');
    assert.equal(stateOf({ metrics: METRICS, lock: 'gone', age: 0 }), 'interrupted');
  });

  test('the lock of another machine: running while written to a moment ago, or less than a few waits ago', () => {
    const lock = 'elsewhere';
    assert.equal(stateOf({ metrics: METRICS, lock, age: 60 }), 'running');
    assert.equal(stateOf({ metrics: trainLine(10, 9) + trainLine(1010, 5), lock, age: 3600 }), 'running');
    assert.equal(stateOf({ metrics: METRICS, lock, age: 3600 }), 'interrupted');
  });

  test('diverged: the last loss is no number, or above the first', () => {
    assert.equal(stateOf({ metrics: trainLine(10, 9) + trainLine(20, null) }), 'diverged');
    assert.equal(stateOf({ metrics: METRICS + trainLine(30, 12) }), 'diverged');
  });

  test('diverged: the doctor has given up, until the run goes on', () => {
    const files: RunFiles = { metrics: METRICS, state: { updates: 20 }, age: 60 };
    const folder = makeRun(scratchFolder(), files);
    const report = path.join(folder, 'divergence.json');
    const at = (age: number) => {
      const time = Date.now() / 1000 - age;
      writeFileSync(report, '{}');
      utimesSync(report, time, time);
      return openRun(folder, 'name').overview.state;
    };
    assert.deepEqual([at(50), at(70)], ['diverged', 'interrupted']);
    makeRun(folder, { ...files, lock: 'own', state: undefined });
    assert.equal(at(50), 'running');
  });

  test('empty: nothing was trained', () => {
    assert.equal(stateOf({}), 'empty');
    assert.equal(stateOf({ metrics: '' }), 'empty');
  });
});

test('a run is one whatever its folder is called', () => {
  for (const name of ['checkpoints', 'checkpoint_last'])
    assert.equal(openRun(makeRun(path.join(scratchFolder(), name)), name).overview.state, 'empty');
});

test('the figures of a run', () => {
  const metrics = trainLine(10, 9) + validLine(10, 8) + trainLine(20, 7, 2) + validLine(20, 8.5, 2);
  const { best, updates, epoch, seconds, trainLoss, validLoss, speed } = overview({ metrics });
  assert.deepEqual(best, { loss: 8, updates: 10, epoch: 1 });
  assert.deepEqual([updates, epoch, seconds, trainLoss, validLoss, speed], [20, 2, 20, 7, 8.5, 100]);
});

test('the highest scores of all validations', () => {
  const scored = (updates: number, bleu: number, chrf: number) =>
    validLine(updates, 8).replace('}', `,"bleu":${bleu},"chrf":${chrf}}`);
  const { bestScores } = overview({ metrics: scored(10, 20.5, 40) + scored(20, 18, 41) });
  assert.deepEqual(bestScores, { bleu: 20.5, chrf: 41 });
  assert.deepEqual(overview({ metrics: METRICS }).bestScores, {});
});

test('the best validation is known from the checkpoint where the metrics are lost', () => {
  const best = { loss: 3, epoch: 1, updates: 5 };
  const found = overview({ state: { updates: 9, epoch: 2, bests: [best] } });
  assert.deepEqual([found.best, found.updates, found.epoch], [best, 9, 2]);
});
