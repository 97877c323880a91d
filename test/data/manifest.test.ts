import assert from 'node:assert/strict';
import { mkdirSync, rmSync, statSync, utimesSync } from 'node:fs';
import * as path from 'node:path';
import { test } from 'node:test';
import { sha256 } from '../../src/common/files.js';
import {
  type CurrentInput,
  checkReplaceable,
  createManifest,
  describeInputs,
  hasManifest,
  isStale,
  type Manifest,
  readManifest,
} from '../../src/data/manifest.js';
import { refusal, scratchFolder, writeFiles } from './scratch.js';

/** A folder with text and a dataset whose manifest names it. */
function dataset(): { folder: string; destdir: string; manifest: Manifest; inputs: CurrentInput[] } {
  const folder = writeFiles(scratchFolder(), { 'train.de': 'text\n' });
  const destdir = path.join(folder, 'data-bin');
  const inputs = [{ role: 'train.de', path: path.join(folder, 'train.de') }];
  const manifest = createManifest({
    dataHash: 'hash',
    seed: 1,
    languages: { source: 'de', target: 'en' },
    inputs: describeInputs(inputs, new Map([['train.de', { bytes: 5, sha256: sha256('text\n'), lines: 1 }]])),
    splits: {},
    dictionaries: {},
    files: ['dict.de.txt', 'manifest.json'],
  });
  writeFiles(destdir, { 'manifest.json': JSON.stringify(manifest), 'dict.de.txt': '' });
  return { folder, destdir, manifest, inputs };
}

test('a manifest comes back', () => {
  const { folder, destdir, manifest } = dataset();
  assert.deepEqual(readManifest(destdir), manifest);
  assert.ok(hasManifest(destdir));
  assert.ok(!hasManifest(folder));
});

test('other files are refused', () => {
  const { destdir, manifest } = dataset();
  const read = (content: string) => () => readManifest(writeFiles(destdir, { 'manifest.json': content }));
  assert.throws(read('{'), refusal(/manifest\.json: /));
  assert.throws(read('null'), refusal(/manifest\.json: .*another file/));
  assert.throws(read('{"format":"x","version":1}'), refusal(/another file/));
  assert.throws(
    read(JSON.stringify({ ...manifest, version: 99 })),
    refusal(/version 1 or before, found version 99/),
  );
  assert.throws(read(JSON.stringify({ ...manifest, files: undefined })), refusal(/only some/));
  assert.throws(read(JSON.stringify({ ...manifest, inputs: [3] })), refusal(/only some/));
});

test('up to date while config and text are the same, wherever the text is', () => {
  const { folder, destdir, manifest, inputs } = dataset();
  const stale = (current: CurrentInput[], hash = 'hash') => isStale(destdir, manifest, hash, current);
  assert.equal(stale(inputs), undefined);
  // Touched, but with the same content.
  utimesSync(inputs[0].path, 1, 1);
  assert.equal(stale(inputs), undefined);
  writeFiles(folder, { 'moved.de': 'text\n' });
  assert.equal(stale([{ role: 'train.de', path: path.join(folder, 'moved.de') }]), undefined);
});

test('stale when config, text or dataset changed, with the reason', () => {
  const { folder, destdir, manifest, inputs } = dataset();
  const stale = (current: CurrentInput[], hash = 'hash'): string =>
    isStale(destdir, manifest, hash, current) ?? 'up to date';
  assert.match(stale(inputs, 'other'), /config has changed/);
  assert.match(stale([]), /train\.de too/);
  assert.match(stale([...inputs, { role: 'valid.de', path: 'valid.de' }]), /valid\.de was not there/);
  const { mtime } = statSync(inputs[0].path);
  writeFiles(folder, { 'train.de': 'texT\n' });
  utimesSync(inputs[0].path, mtime, new Date(mtime.getTime() + 5000));
  assert.match(stale(inputs), /train\.de has changed/);
  writeFiles(folder, { 'train.de': 'longer\n' });
  assert.match(stale(inputs), /train\.de has changed/);
  rmSync(inputs[0].path);
  assert.throws(() => stale(inputs), refusal(/train\.de: no such file/));
  rmSync(path.join(destdir, 'dict.de.txt'));
  assert.match(stale(inputs), /dict\.de\.txt is missing/);
});

test('only nothing, an empty folder or a dataset of ours may be replaced', () => {
  const { folder, destdir } = dataset();
  checkReplaceable(path.join(folder, 'absent'));
  mkdirSync(path.join(folder, 'empty'));
  checkReplaceable(path.join(folder, 'empty'));
  checkReplaceable(destdir);
  assert.throws(() => checkReplaceable(folder), refusal(/without manifest\.json/));
  assert.throws(() => checkReplaceable(path.join(folder, 'train.de')), refusal(/train\.de: .*directory/));
  writeFiles(destdir, { 'notes.txt': '' });
  assert.throws(() => checkReplaceable(destdir), refusal(/'notes\.txt' in it/));
  writeFiles(destdir, { 'manifest.json': '{"format":"of others","files":["notes.txt","dict.de.txt"]}' });
  assert.throws(() => checkReplaceable(destdir), refusal(/data-bin: /));
});
