import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isChinese, targetOfPair, unsegmentedLanguage } from '../../../src/metrics/tokenizers/language.js';
import { tokenizerForLanguage } from '../../../src/metrics/tokenizers/tokenizer.js';

test('Chinese is known under all of its names, unless it is written otherwise', () => {
  const tags =
    'zh ZH zh-Hans zh_Hant zh-CN zh_TW zho zho_Hans chi cmn cmn-Hans-CN yue yue-Hant-HK wuu nan hak lzh zh-yue cn zh_CN_x zh-cn';
  for (const tag of tags.split(' ')) {
    assert.ok(isChinese(tag), tag);
    assert.equal(tokenizerForLanguage(tag), 'zh', tag);
  }
  for (const tag of 'zh-Latn en de za ja ko vi src toa x-zh zhx'.split(' ')) {
    assert.equal(isChinese(tag), false, tag);
    assert.equal(tokenizerForLanguage(tag), '13a', tag);
  }
  assert.equal(tokenizerForLanguage(undefined), '13a');
});

test('languages without spaces are known by their script', () => {
  const names = (tags: string) => tags.split(' ').map((tag) => unsegmentedLanguage(tag));
  assert.deepEqual(names('ja kor ko-KP th tha lo lao km khm my mya bur bo bod dz'), [
    ...['Japanese', 'Korean', 'Korean', 'Thai', 'Thai', 'Lao', 'Lao', 'Khmer', 'Khmer'],
    ...['Burmese', 'Burmese', 'Burmese', 'Tibetan', 'Tibetan', 'Dzongkha'],
  ]);
  assert.equal(unsegmentedLanguage('shn'), 'Shan');
  assert.deepEqual(new Set(names('en de hi ar ja-Latn my-Latn zh vi jv kac tob')), new Set([undefined]));
});

test('the second language of a pair, scripts and regions of either aside', () => {
  const pairs = {
    ...{ 'de-en': 'en', 'en-zh': 'zh', 'en-zh_CN': 'zh_CN', 'zho_Hans-eng_Latn': 'eng_Latn' },
    ...{
      'en-zh-Hans': 'zh-Hans',
      'zh-Hans-en': 'en',
      'en-zh-cn': 'zh-cn',
      'zh-CN-en': 'en',
      'zh-cn-en': 'en',
    },
    ...{
      'zh-Hans-CN-en': 'en',
      'pt-BR-zh-Hant-TW': 'zh-Hant-TW',
      'en-US-ja-JP': 'ja-JP',
    },
  };
  for (const [pair, target] of Object.entries(pairs)) assert.equal(targetOfPair(pair), target, pair);
});

test('what is no pair is refused', () => {
  for (const text of ['ja', 'en_zh', 'en-', '-zh', '-', '', 'en--zh'])
    assert.throws(() => targetOfPair(text), /--language-pair: expected two languages/, text);
});
