import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configKeys, configSections } from '../../src/config/keys.js';
import { valueAt } from '../../src/config/paths.js';
import { configSchema } from '../../src/config/schema.js';
import { count, section } from '../../src/config/values.js';

test('every key and section has a text, and its default is the schema’s', () => {
  const defaults = configSchema.parse({});
  for (const { path, text, fallback } of configKeys.values()) {
    assert.match(text, /[.).]$/, `${path}: ${text}`);
    assert.deepEqual(fallback, valueAt(defaults, path), path);
  }
  for (const { path, text } of configSections.values()) if (path !== '') assert.notEqual(text, '', path);
});

test('expectations in words', () => {
  const expected = (path: string): string | undefined => configKeys.get(path)?.expected;
  assert.equal(expected('train.max-update'), 'an integer of at least 1 and of at most 1000000000, or null');
  assert.equal(expected('model.dropout'), 'a number of at least 0 and below 1');
  assert.equal(expected('decode.lenpen'), 'a number of at least -100 and of at most 100');
  assert.equal(expected('data.tokenizer.joint'), 'true or false');
  assert.equal(expected('train.optimizer'), 'one of adam, radam, sgd');
  assert.equal(expected('train.adam-betas'), 'a list of 2, each a number of at least 0 and below 1');
  assert.equal(expected('data.root'), 'a path, or an empty text');
});

test('every number has an upper bound and a lower one', () => {
  for (const { path, kind, expected } of configKeys.values()) {
    if (!['integer', 'number', 'list'].includes(kind)) continue;
    assert.match(expected, /(at least|above) -?[\d.]+ and (of at most|below) \d+/, path);
  }
});

test('a key without its resume class does not compile', () => {
  // @ts-expect-error: free, changeable or bound
  section({ key: count(1, 'A key.') }, 'A section.');
  for (const { path, resume } of configKeys.values()) {
    assert.ok(['free', 'changeable', 'bound'].includes(resume), path);
    const isGuided = /^decode\.alignment-(layer|head)$/.test(path); // train.guided-alignment trains that attention
    if (/^(decode|score)\./.test(path))
      assert.equal(resume, isGuided ? 'changeable' : 'free', `${path}: it comes after training`);
    if (/^model\./.test(path) && path !== 'model.omega.profile') assert.equal(resume, 'bound', path);
  }
});

test('a key is idle at values that other keys can have, and not at all of them', () => {
  for (const { path, idle = {} } of configKeys.values()) {
    for (const [other, values] of Object.entries(idle)) {
      const { kind, nullable, ...key } = configKeys.get(other)!;
      const choices = kind === 'boolean' ? ['true', 'false'] : key.choices;
      if (kind === 'number') {
        assert.deepEqual(values, [key.fallback], `${path}: ${other} is off`);
        continue;
      }
      for (const value of values) {
        assert.ok(value === null ? nullable : choices.includes(String(value)), `${path}: ${other} ${value}`);
      }
      assert.ok(choices.length === 0 || values.length < choices.length, path);
    }
  }
});

test('what has a unit is a number, and what is counted in the name has that unit', () => {
  for (const { path, unit, kind } of configKeys.values()) {
    if (unit !== undefined) assert.ok(kind === 'integer' || kind === 'number', path);
    const [named] = /(updates|epoch|minutes|tokens)$/.exec(path) ?? [];
    if (named !== undefined) assert.ok(unit?.includes(named), `${path}: ${unit}`);
  }
});
