import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { test } from 'node:test';
import { UserError } from '../../src/common/errors.js';
import { readEventFile } from '../../src/formats/tfevents.js';
import { EventLog, removeEventFiles } from '../../src/train/event-log.js';
import { scratchFolder } from './tiny.js';

const names = (folder: string): string[] => fs.readdirSync(folder).sort();

test('a start is a file with its version, where it purges from, and values', () => {
  const folder = path.join(scratchFolder(), 'a', 'tensorboard');
  const log = new EventLog(folder, 41);
  log.write(50, new Map([['train/loss', 2.5]]));
  const [name] = names(folder);
  assert.match(name, /^events\.out\.tfevents\.\d{10}\..+\.\d+$/);
  const events = readEventFile(path.join(folder, name));
  assert.ok(events.every(({ wallTime }) => Math.abs(wallTime - Date.now() / 1000) < 60));
  assert.deepEqual(
    events.map(({ wallTime, ...event }) => event),
    [
      { step: 41, fileVersion: 'brain.Event:2' },
      { step: 41, start: true },
      { step: 50, scalars: new Map([['train/loss', 2.5]]) },
    ],
  );
});

test('a later start has the later name, even when the clock ran back', () => {
  const folder = scratchFolder();
  const ahead = 'events.out.tfevents.4000000000.host.1';
  fs.writeFileSync(path.join(folder, ahead), '');
  new EventLog(folder, 1);
  new EventLog(folder, 1);
  const [first, second, third] = names(folder);
  assert.equal(first, ahead);
  assert.match(second, /\.4000000001\./);
  assert.match(third, /\.4000000002\./);
});

test('event files go, and nothing else', () => {
  const run = scratchFolder();
  removeEventFiles(run); // there is none yet
  new EventLog(path.join(run, 'tensorboard'), 1);
  fs.writeFileSync(path.join(run, 'tensorboard', 'notes'), '');
  removeEventFiles(run);
  assert.deepEqual(names(path.join(run, 'tensorboard')), ['notes']);
});

test('a folder that cannot be made is the error of the user', () => {
  const file = path.join(scratchFolder(), 'file');
  fs.writeFileSync(file, '');
  assert.throws(() => new EventLog(path.join(file, 'tensorboard'), 1), UserError);
});
