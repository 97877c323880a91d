import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type TercomOptions, tercomTokenizer } from '../../../src/metrics/tokenizers/tercom.js';

test('Tercom tokenizer as sacreBLEU tests it', () => {
  // the cases of its test/test_tokenizer_ter.py
  const cases: [options: TercomOptions, line: string, tokens: string][] = [
    [{}, 'a b c d', 'a b c d'],
    [{}, '', ''],
    [{}, 'a b c d.', 'a b c d.'],
    [{}, 'A B C D.', 'a b c d.'],
    [{ noPunct: true }, 'a b c d.', 'a b c d'],
    [{ noPunct: true }, 'A ; B ) C : D.', 'a b c d'],
    [{ normalized: true }, 'a b (c) d.', 'a b ( c ) d .'],
    [{ normalized: true }, "Jim's car.", "jim 's car ."],
    [{ normalized: true }, '4.2', '4.2'],
    [{ normalized: true, asianSupport: true }, '美众院公布对特', '美 众 院 公 布 对 特'],
    [{ normalized: true, asianSupport: true }, 'りの拳銃を持', 'りの 拳 銃 を 持'],
  ];
  for (const [options, line, tokens] of cases) {
    assert.equal(tercomTokenizer(options)(line).join(' '), tokens);
  }
});

test('white space is what Python takes for it, and case can be kept', () => {
  assert.deepEqual(tercomTokenizer({ caseSensitive: true })(' Ein\u0085Test\u3000\ufeff\x1f'), [
    'Ein',
    'Test',
    '\ufeff',
  ]);
});
