import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import fc from 'fast-check';
import { shellLine } from '../../src/common/shell-words.js';

test('plain words stay, others are quoted', () => {
  assert.equal(
    shellLine(['a/b-c.d=1', 'my run', "it's John's", '']),
    "a/b-c.d=1 'my run' 'it'\\''s John'\\''s' ''",
  );
});

test('a shell takes the words that went in', () => {
  const word = fc.string({ unit: fc.constantFrom(...`a'"\\$\`*? ~#!;&|<>(){}[]ä\n-`), maxLength: 8 });
  fc.assert(
    fc.property(fc.array(word, { minLength: 1, maxLength: 5 }), (words) => {
      const found = execFileSync('sh', ['-c', `printf '%s\\0' ${shellLine(words)}`], { encoding: 'utf8' });
      assert.deepEqual(found.split('\0').slice(0, -1), words);
    }),
    { seed: 1, numRuns: 30 },
  );
});
