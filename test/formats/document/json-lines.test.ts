import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jsonPart } from '../../../src/formats/document/json-lines.js';
import { partOf } from '../../../src/formats/document/part.js';

const part = (line: string) => jsonPart(line, 'text', 'line 3', (text) => partOf([{ segment: text }]));

test('one field is another, and all else stays as it is written', () => {
  const line =
    '{ "id" : 1.0, "deep": {"text": "no", "a": ["text", "b"]}, "text" : "ja\\n\\u00e4 \\"x\\"", "n":1e400 }';
  const { segments, assemble } = part(line);
  assert.deepEqual(segments, ['ja\nä "x"']);
  assert.equal(assemble(['yes "{"']), line.replace('"ja\\n\\u00e4 \\"x\\""', '"yes \\"{\\""'));
  assert.equal(part('{"te\\u0078t":"a"}').assemble(['b']), '{"te\\u0078t":"b"}');
  assert.equal(part('{"text":"a","text":"c"}').assemble(['b']), '{"text":"a","text":"b"}');
  for (const other of ['{"a": "text"}', '{"text":null}']) assert.equal(part(other).assemble([]), other);
});

test('what has no text there is refused with its line', () => {
  assert.throws(() => part('{"text": 5}'), /line 3: expected a text in the field text, found a number/);
  assert.throws(() => part('[1]'), /line 3: expected a JSON object/);
  assert.throws(() => part('{"text": '), /line 3: expected JSON/);
});
