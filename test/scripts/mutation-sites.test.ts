import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Language, mutationsOf } from '../../scripts/mutation-sites.js';

/** What a source can become. */
function mutants(source: string, language: Language = 'javascript'): string[] {
  return mutationsOf(source, language).map(
    ({ start, end, replacement }) => source.slice(0, start) + replacement + source.slice(end),
  );
}

test('operators, numbers, booleans and bounds', () => {
  assert.deepEqual(mutants('return a + b <= c && d !== e;'), [
    'return a - b <= c && d !== e;',
    'return a + b < c && d !== e;',
    'return a + b <= c || d !== e;',
    'return a + b <= c && d === e;',
  ]);
  assert.deepEqual(mutants('f(0, 1, 2, 1e-8, 3n, true)'), [
    'f(1, 1, 2, 1e-8, 3n, true)',
    'f(0, 0, 2, 1e-8, 3n, true)',
    'f(0, 1, (2 + 1), 1e-8, 3n, true)',
    'f(0, 1, 2, (1e-8 + 1), 3n, true)',
    'f(0, 1, 2, 1e-8, (3n + 1n), true)',
    'f(0, 1, 2, 1e-8, 3n, false)',
  ]);
  assert.deepEqual(mutants('return Math.min(min, max);'), ['return Math.max(min, max);']);
  assert.deepEqual(mutants('*x = std::max(a, b);', 'c++'), ['*x = std::min(a, b);']);
});

test('conditions, calls and assignments', () => {
  assert.deepEqual(mutants('if (a(b)) return c;'), ['if (!(a(b))) return c;']);
  assert.deepEqual(mutants('{ a.b(c, { d: e }); }'), ['{ ; }']);
  assert.deepEqual(mutants('{ await a(b); this.c += d; }'), [
    '{ ; this.c += d; }',
    '{ await a(b); ; }',
    '{ await a(b); this.c -= d; }',
  ]);
  assert.deepEqual(mutants('for (;;) { const a = b; let c = d(); return e(); }'), []);
  assert.deepEqual(mutants('{ return { a, b: c() }; }'), [], 'an object is no block');
});

test('types of C++, text, comments and regular expressions are left alone', () => {
  assert.deepEqual(mutants('std::vector<float> *a; T &&b; #define N 1\n', 'c++'), []);
  assert.deepEqual(mutants(`a('1 + 2', "3", \`4 $\{b(\`5 $\{6}\`)} 7\`) /* 8 */ // 9`), []);
  assert.deepEqual(mutants('a = b.test(/[/"] + 1/) ? "x" + y : c / 2;'), [
    'a = b.test(/[/"] + 1/) ? "x" + y : c * 2;',
    'a = b.test(/[/"] + 1/) ? "x" + y : c / (2 + 1);',
  ]);
});

test('so is what fetches modules or only tells something', () => {
  assert.deepEqual(mutants("import * as a from 'b';\nlog.warn(a + 1);\n{ log.info(b); }\nthis.c = c;"), []);
});
