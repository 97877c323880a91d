import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CorpusChecks } from '../../src/metrics/corpus-checks.js';

const line = (i: number) =>
  Array.from({ length: 8 }, (_, j) => `W${(i * i * 7 + i * j * 3 + j) % 997}`).join(' ');
const check = (hypothesis: (i: number) => string, count: number, ignoreCase = false): string[] => {
  const checks = new CorpusChecks(ignoreCase);
  for (let i = 0; i < count; i++) checks.add(hypothesis(i), line(i));
  return checks.warnings();
};

describe('a corpus is checked for', () => {
  test('nothing where nothing is wrong, be it empty, right or all wrong', () => {
    assert.deepEqual(check(line, 0), []);
    assert.deepEqual(check(line, 5000), []);
    assert.deepEqual(
      check(() => 'Something else', 5000),
      [],
    );
    assert.deepEqual(
      check(() => '', 100),
      [],
    );
  });

  test('entities', () => {
    assert.match(check((i) => `${line(i)} &#39;`, 50).join(), /50 of 50 hypotheses hold escaped/);
    assert.deepEqual(
      check((i) => `${line(i)} ${i < 5 ? '&amp;' : 'R&D; A&B'}`, 50),
      [],
    );
  });

  test('case', () => {
    const lower = (i: number) => line(i).toLowerCase();
    assert.match(check(lower, 50).join(), /0 of 50 hypotheses hold capital letters, 50 references do/);
    assert.deepEqual(check(lower, 50, true), []);
  });

  test('a line too many or too few, early or late', () => {
    for (const [step, where] of [
      [-1, 'before'],
      [1, 'after'],
    ] as const) {
      for (const place of [30, 3333]) {
        const warnings = check((i) => line(i < place ? i : i + step), 5000);
        assert.equal(warnings.length, 1, String(warnings));
        assert.match(warnings[0], new RegExp(`one line ${where}`));
        const found = Number(/about line (\d+)/.exec(warnings[0])![1]);
        assert.ok(found > place - 5 && found < place + 540, `${found}`);
      }
    }
  });

  test('no line too many where the next reference has more of the words because it is longer', () => {
    const words = (i: number, count: number) => Array.from({ length: count }, (_, j) => `w${i}-${j}`);
    const checks = new CorpusChecks(false);
    for (let i = 0; i < 200; i++) {
      const hypothesis = [...words(i, 2), ...words(i + 1, 3)];
      checks.add(hypothesis.join(' '), words(i, 3 ** (1 + (i % 5))).join(' '));
    }
    assert.deepEqual(checks.warnings(), []);
  });
});
