import assert from 'node:assert/strict';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import * as path from 'node:path';
import { after, test } from 'node:test';
import { log } from '../../src/common/log.js';
import { readEventFile } from '../../src/formats/tfevents.js';
import { EventLog } from '../../src/train/event-log.js';
import { PatientFile } from '../../src/train/patient-file.js';
import { scratchFolder } from './tiny.js';

const { appendFileSync } = fs;
const { warn } = log;
const warnings: string[] = [];
log.warn = (message) => warnings.push(message);

/** A disk that takes half of what is written and then is full. */
function fill(full: boolean): void {
  fs.appendFileSync = (file, bytes): void => {
    appendFileSync(file, full ? (bytes as Buffer).subarray(0, bytes.length / 2) : bytes);
    if (full) throw Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC', syscall: 'write' });
  };
  syncBuiltinESMExports();
}
after(() => {
  fs.appendFileSync = appendFileSync;
  syncBuiltinESMExports();
  log.warn = warn;
});

test('what a full disk refuses is written when there is room, in its order, and nothing of it twice', () => {
  const file = path.join(scratchFolder(), 'a');
  fs.writeFileSync(file, 'zero ');
  const lines = new PatientFile(file, 'Lines', 5);
  lines.add('one ');
  fill(true);
  lines.add('two ');
  assert.equal(lines.flush(), null);
  assert.equal(fs.readFileSync(file, 'utf8'), 'zero one ');
  assert.match(warnings[0], /^Lines are kept for later: .*\/a: no space left on the device/);
  fill(false);
  lines.add('three');
  assert.equal(fs.readFileSync(file, 'utf8'), 'zero one two three');
  assert.equal(lines.flush(), 18);
});

test('a disk that is full for a while costs TensorBoard no event, and training goes on', () => {
  const folder = path.join(scratchFolder(), 'tensorboard');
  const events = new EventLog(folder, 1);
  const values = (loss: number): Map<string, number> => new Map([['train/loss', loss]]);
  events.write(1, values(3));
  fill(true);
  events.write(2, values(2));
  fill(false);
  events.write(3, values(1));
  const [name] = fs.readdirSync(folder);
  assert.deepEqual(
    readEventFile(path.join(folder, name)).map(({ step, scalars }) => [step, scalars?.get('train/loss')]),
    [
      [1, undefined],
      [1, undefined],
      [1, 3],
      [2, 2],
      [3, 1],
    ],
  );
});
