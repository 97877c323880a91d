import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { after, test } from 'node:test';
import { readPhrasePairs } from '../../src/decode/phrase-pairs.js';

const folder = mkdtempSync(path.join(tmpdir(), 'admin-nmt-phrase-pairs-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const read = (text: string | Buffer): Map<string, string> => {
  const file = path.join(folder, 'pairs.tsv');
  writeFileSync(file, text);
  return readPhrasePairs(file, 'a terminology');
};

test('a pair a line; notes, blank lines and a byte order mark are none', () => {
  const pairs = read('\ufeffder Hund\tthe dog\r\n# a note\n\n Katze \t cat\nKatze\tcat');
  assert.deepEqual(
    [...pairs],
    [
      ['der Hund', 'the dog'],
      ['Katze', 'cat'],
    ],
  );
  assert.equal(read('').size, 0);
});

test('any other line is refused with its place and what to do', () => {
  for (const [text, message] of [
    ['a\tb\nc', /pairs\.tsv:2: expected a source phrase, a tab and a target phrase, found 'c'\n {2}\w/],
    ['a\t', /pairs\.tsv:1: expected a source phrase/],
    ['a\tb\tc', /pairs\.tsv:1: expected a source phrase/],
    ['a\tb\na\tc', /pairs\.tsv:2: expected one translation of 'a', found 'b' and 'c'\n {2}\w/],
    [Buffer.from('a\tb\ncaf\xe9\tc\n', 'latin1'), /pairs\.tsv:2: expected UTF-8, found the byte 0xe9/],
    ['a\tb\0\n', /pairs\.tsv:1: expected text, found a NUL byte/],
  ] as const)
    assert.throws(() => read(text), message);
});
