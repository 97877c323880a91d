import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import * as path from 'node:path';
import { test } from 'node:test';
import { packageRoot } from '../../src/common/files.js';
import { configKeys } from '../../src/config/keys.js';
import { adviceFor, commandsFor, oursFor, theirNames } from '../../src/config/other-names.js';

test('every name leads to keys and options that there are', () => {
  const helps = ['translate', 'average', 'train'].map((name) =>
    readFileSync(path.join(packageRoot(), 'test/cli/fixtures/help', `${name}.txt`), 'utf8'),
  );
  for (const name of theirNames()) {
    const ours = [...oursFor(name), ...commandsFor(name)];
    assert.ok(ours.length > 0 || adviceFor(name) !== undefined, name);
    for (const key of oursFor(name)) {
      const there = key.startsWith('-')
        ? helps.some((help) => help.includes(`${key} `))
        : configKeys.has(key);
      assert.ok(there, `${name} → ${key}`);
    }
  }
});

test('no name is one that is told in its own place: a key of ours, or advice beside an equal', () => {
  for (const name of theirNames()) {
    assert.equal(configKeys.has(name), false, name);
    assert.ok(oursFor(name).length === 0 || adviceFor(name) === undefined, name);
  }
});

test('however it is spelled', () => {
  for (const name of ['warmup-steps', '--warmup-steps', 'warmup_steps', 'Warmup_Steps'])
    assert.deepEqual(oursFor(name), ['train.warmup-updates']);
  assert.deepEqual(oursFor('constructor'), []);
});

test('docs/coming-from.md has the names that lead to ours', () => {
  const page = readFileSync(path.join(packageRoot(), 'docs/coming-from.md'), 'utf8');
  const settings = page.slice(page.indexOf('## Settings'), page.indexOf('## What is counted otherwise'));
  const rows = settings.split('\n').flatMap((line) => {
    const [, ours, ...theirs] = line.split('|').map((cell) => /`([^`]+)`/.exec(cell)?.[1]);
    return ours === undefined ? [] : [{ ours, theirs: theirs.filter((name) => name !== undefined) }];
  });
  assert.ok(rows.length > 30);
  for (const { ours, theirs } of rows)
    for (const name of theirs)
      assert.ok(oursFor(name).includes(ours) || ours.endsWith(`.${name}`), `${name} → ${ours}`);
});
