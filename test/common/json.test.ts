import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseJson } from '../../src/common/json.js';

test('JSON as ever, but for depth', () => {
  const value = { a: [1, { b: '[[[{{{"\\\\' }, []], c: null };
  assert.deepEqual(parseJson(JSON.stringify(value)), value);
  const nested = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels);
  assert.ok(Array.isArray(parseJson(nested(100))));
  assert.ok(Array.isArray(parseJson(`[${`${nested(50)},`.repeat(50)}"\\"["]`)));
  assert.throws(() => parseJson(nested(101)), /at most 100 levels/);
  assert.throws(() => parseJson('{"a":'.repeat(1_000_000)), /at most 100 levels/);
  assert.throws(() => parseJson('{"a": '), SyntaxError);
});
