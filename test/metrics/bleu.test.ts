import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { UserError } from '../../src/common/errors.js';
import { packageVersion } from '../../src/common/files.js';
import {
  BLEU,
  type BleuOptions,
  type CustomTokenizer,
  corpusBleu,
  formatScore,
  sentenceBleu,
  VERSION,
} from '../../src/metrics/sacrebleu.js';

describe('BLEU by hand', () => {
  test('matches are clipped by the reference that has most of an n-gram', () => {
    // Papineni et al. (2002), example 2: the modified unigram precision is 2/7, not 7/7
    const { counts, totals } = corpusBleu(
      ['the the the the the the the'],
      [['The cat is on the mat'], ['There is a cat on the mat']],
      { lowercase: true },
    );
    assert.deepEqual([counts[0], totals[0]], [2, 7]);
  });

  test('the brevity penalty takes the nearest reference length, the shorter of two', () => {
    assert.equal(sentenceBleu('a b c', ['a b c d', 'a b']).refLen, 2);
    const { bp, ratio } = sentenceBleu('a b', ['a b c d']);
    assert.ok(Math.abs(bp - Math.exp(-1)) < 1e-15);
    assert.equal(ratio, 0.5);
  });

  test('a sentence shorter than four tokens has a score with effective order only', () => {
    assert.equal(sentenceBleu('ein Hund', ['ein Hund']).score.toFixed(6), '100.000000');
    assert.equal(sentenceBleu('ein Hund', ['ein Hund'], { effectiveOrder: false }).score, 0);
  });

  test('exp halves the precision of each further order without a match', () => {
    assert.deepEqual(sentenceBleu('a b c d', ['a c b d']).precisions, [100, 100 / 6, 100 / 8, 100 / 8]);
  });
});

describe('signature and printing', () => {
  test('the signature names this implementation and the sacreBLEU whose numbers it gives', () => {
    assert.equal(VERSION, packageVersion());
    const metric = new BLEU({ smoothMethod: 'floor', lowercase: true, effectiveOrder: true });
    metric.corpusScore(
      ['a', 'b'],
      [
        ['a', 'b'],
        ['c', null],
      ],
    );
    const end = `${VERSION}+sacrebleu.2.6.0`;
    assert.equal(
      metric.getSignature().format(),
      `nrefs:var|case:lc|eff:yes|tok:13a|smooth:floor[0.10]|impl:admin-nmt|version:${end}`,
    );
    assert.equal(
      metric.getSignature().format(true),
      `#:var|c:lc|e:yes|tok:13a|s:floor[0.10]|i:admin-nmt|v:${end}`,
    );
  });

  test('a tie is rounded to the even digit', () => {
    const score = { name: 'BLEU', score: 0.125, verbose: '' };
    assert.equal(formatScore(score), 'BLEU = 0.12');
    assert.equal(formatScore({ ...score, score: 0.375 }, { scoreOnly: true }), '0.38');
  });

  test('JSON keeps whole scores apart from integers, as Python does', () => {
    const score = { name: 'BLEU', score: 100, verbose: 'v' };
    const json = formatScore(score, { width: 1, json: true, signature: 'nrefs:1|tok:13a' });
    assert.equal(
      json,
      '{\n "name": "BLEU",\n "score": 100.0,\n "signature": "nrefs:1|tok:13a",\n "verbose_score": "v",\n "nrefs": "1",\n "tok": "13a"\n}',
    );
  });
});

describe('options', () => {
  const refuses = (options: object, message: RegExp) =>
    assert.throws(
      () => new BLEU(options as BleuOptions),
      (error) => error instanceof UserError && message.test(error.message),
    );

  test('unknown names are refused with the nearest', () => {
    refuses({ tokenize: '13b' }, /found '13b'\n.*Did you mean '13a'/s);
    refuses({ tokenize: 'constructor' }, /found 'constructor'/);
    refuses({ smoothMethod: 'flor' }, /found 'flor'\n.*Did you mean 'floor'/s);
    refuses({ smoothMethod: 'floor', smoothValue: -1 }, /0 or more, found -1/);
    refuses({ maxNgramOrder: 0 }, /1 or more, found 0/);
  });

  test('tokenizers that only sacreBLEU has are refused with the reason', () => {
    refuses({ tokenize: 'flores200' }, /needs a SentencePiece model/);
    refuses({ tokenize: 'ja-mecab' }, /'ja-mecab' is not available here: it needs the MeCab/);
  });

  test('the target language chooses the tokenizer, and a choice against it is warned of', () => {
    const warnings: string[] = [];
    const onWarning = (message: string) => warnings.push(message);
    assert.equal(new BLEU({ targetLang: 'zh', onWarning }).tokenizer, 'zh');
    assert.equal(new BLEU({ targetLang: 'de', tokenize: 'char', onWarning }).tokenizer, 'char');
    assert.deepEqual(warnings, []);
    assert.equal(new BLEU({ targetLang: 'zh', tokenize: 'char', onWarning }).tokenizer, 'char');
    assert.match(warnings.join(), /'zh' is usual/);
  });

  test('13a is warned of where it finds no words, and what does without spaces is not', () => {
    const warnings = (targetLang: string, tokenize?: string | CustomTokenizer) => {
      const told: string[] = [];
      const metric = new BLEU({ targetLang, tokenize, onWarning: (message) => told.push(message) });
      return `${metric.tokenizer} ${told.join()}`;
    };
    for (const tag of ['ja', 'jpn', 'ja_JP', 'ja_XX', 'jpn_Jpan', 'jp'])
      assert.match(warnings(tag), /^13a .*does not cut Japanese .*chrF.* char /, tag);
    assert.match(warnings('ko_KR'), /Korean/);
    assert.match(warnings('th', 'intl'), /'intl' does not cut Thai/);
    assert.equal(warnings('ja', 'char'), 'char ');
    assert.equal(warnings('ja', 'none'), 'none ', 'cut by somebody else');
    assert.equal(warnings('kor', { name: 'mine', tokenize: () => [] }), 'mine ');
    for (const tag of ['ja-Latn', 'de', 'pt_BR', 'vi', 'src', 'tob'])
      assert.equal(warnings(tag), '13a ', tag);
    assert.match(warnings('zh_CN', '13a'), /'zh' is usual/);
  });

  test('a hundred tokenized full stops are warned of, unless forced', () => {
    const warned = (lines: number, force = false) => {
      const warnings: string[] = [];
      const text = new Array<string>(lines).fill('ein Test .');
      corpusBleu(text, [text], { force, onWarning: (message) => warnings.push(message) });
      return warnings;
    };
    assert.match(warned(100).join(), /100 lines end in a tokenized period/);
    assert.deepEqual(warned(99), []);
    assert.deepEqual(warned(100, true), []);
  });
});
