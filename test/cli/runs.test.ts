import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { test } from 'node:test';
import { makeRun, scratchFolder, trainLine, validLine } from './run-folders.js';
import { runProgram } from './run-program.js';

const METRICS = trainLine(10, 9) + validLine(10, 8);

test('runs two folders deep are listed, the latest first, and nothing else', () => {
  const folder = scratchFolder();
  makeRun(path.join(folder, 'old'), { metrics: METRICS, age: 7200 });
  makeRun(path.join(folder, 'sweep/new'), { metrics: METRICS, age: 5, lock: 'own' });
  makeRun(path.join(folder, 'too/far/away'), { metrics: METRICS });
  mkdirSync(path.join(folder, 'foreign'));
  writeFileSync(path.join(folder, 'foreign/config.yaml'), 'a: b\n');
  const { status, stdout, stderr } = runProgram(['runs', folder]);
  assert.deepEqual([status, stderr], [0, '']);
  const rows = stdout
    .trimEnd()
    .split('\n')
    .map((row) => row.split(/ {2,}/));
  assert.deepEqual(
    rows.map(([name, state]) => [name, state]),
    [
      ['run', 'state'],
      ['sweep/new', 'running'],
      ['old', 'interrupted'],
    ],
  );
  assert.deepEqual(rows[2].slice(2, 6), ['10', '1', '8.000', '2 h ago']);
});

test('--json', () => {
  const folder = makeRun(path.join(scratchFolder(), 'run'), { metrics: METRICS });
  const [run, ...rest] = JSON.parse(runProgram(['runs', folder, '--json']).stdout);
  assert.equal(rest.length, 0);
  assert.deepEqual([run.name, run.path, run.state, run.best.loss], ['.', folder, 'interrupted', 8]);
  assert.ok(run.bytes > METRICS.length && !Number.isNaN(Date.parse(run.changed)));
});

test('a config that cannot be read hides no other run', () => {
  const folder = scratchFolder();
  makeRun(path.join(folder, 'good'));
  const header = '# The resolved config of this run, written by admin-nmt train.\n';
  mkdirSync(path.join(folder, 'bad'));
  writeFileSync(path.join(folder, 'bad/config.yaml'), `${header}nonsense: 1\n`);
  const { status, stdout, stderr } = runProgram(['runs', folder]);
  assert.equal(status, 0);
  assert.match(stdout, /^good/m);
  assert.match(stderr, /warning: .*nonsense[\s\S]*This run is left out/);
});

test('no runs, and no folder', () => {
  const folder = scratchFolder();
  assert.deepEqual(runProgram(['runs', folder, '--json']).stdout, '[]\n');
  assert.match(runProgram(['runs', folder]).stderr, /No run directory in/);
  const { status, stderr } = runProgram(['runs', path.join(folder, 'absent')]);
  assert.equal(status, 2);
  assert.match(stderr, /absent: no such file or directory/);
});
