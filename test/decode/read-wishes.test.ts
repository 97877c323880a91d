import assert from 'node:assert/strict';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import { UserError } from '../../src/common/errors.js';
import { type LineRequest, parseRequest, splitRequest } from '../../src/decode/line-request.js';
import { readWishes } from '../../src/decode/read-wishes.js';
import type { SearchOptions } from '../../src/decode/search-options.js';
import { Terminology } from '../../src/decode/terminology.js';
import { TextCodec } from '../../src/decode/text-codec.js';

const WORDS = ['<s>', '<pad>', '</s>', '<unk>', '▁a', '▁b', 'b', 'c', 'bc', '▁bc', '▁', '▁d'];
const dictionary = {
  size: WORDS.length,
  indexOf: (symbol: string) => Math.max(WORDS.indexOf(symbol), 3),
  symbolOf: (id: number) => WORDS[id],
};
/** Pieces of whole words. */
const segmenter = {
  encode: (text: string) =>
    text
      .split(' ')
      .filter((word) => word !== '')
      .map((word) => `▁${word}`),
  decode: (pieces: readonly string[]) => pieces.join('').replaceAll('▁', ' ').trim(),
};
const codec = new TextCodec(
  { segmenter, dictionary },
  { segmenter, dictionary },
  { nfc: true, whitespace: true },
);
const OPTIONS: SearchOptions = { beam: 4, lenpen: 1, maxLenA: 1, maxLenB: 1, minLen: 1, maxPositions: 64 };

const read = (request: Partial<LineRequest>, options: Partial<SearchOptions> = {}) =>
  readWishes({ source: 'a b', ...request }, 6, 3, codec, { ...OPTIONS, ...options });

const refused = (work: () => unknown, said: RegExp, where: RegExp = /line 7/): void =>
  assert.throws(work, (error: Error) => {
    assert.ok(error instanceof UserError);
    assert.match(error.message, said);
    assert.match(error.message, where);
    return true;
  });

describe('what is wished of a line', () => {
  test('in target ids; a phrase that is wished twice is one', () => {
    assert.equal(read({}), undefined);
    assert.equal(read({ prefix: ' ' }), undefined);
    assert.deepEqual(read({ prefix: 'a', constraints: ['b a', 'b a'], forbidden: ['d'], maxLen: 9 }), {
      line: 6,
      prefix: [4],
      required: [[5, 4]],
      forbidden: [[11]],
      minLen: undefined,
      maxLen: 9,
    });
    assert.deepEqual(read({ constraints: ['b', 'b'] }, { constraints: 'ordered' })!.required, [[5], [5]]);
  });

  test('a forbidden word is forbidden in whatever pieces it can be written', () => {
    const all = read({ forbidden: ['bc'] })!.forbidden!.map(String);
    assert.deepEqual(new Set(all), new Set(['9', '5,7', '10,8', '10,6,7']));
  });

  test('what cannot be had is refused, with its line and phrase', () => {
    refused(() => read({ prefix: 'a xyz' }), /tokens that the model has, found 'a xyz'/);
    refused(() => read({ constraints: ['q'] }), /found 'q'/);
    refused(() => read({ constraints: ['a', ''] }), /expected a phrase, found ''/);
    refused(() => read({ forbidden: [' '] }), /expected a forbidden phrase/);
    refused(
      () => read({ constraints: ['a b'], forbidden: ['b'] }),
      /'b' is forbidden, and 'a b' must be there/,
    );
    refused(() => read({ prefix: 'a', forbidden: ['a'] }), /'a' is forbidden, and 'a' must be there/);
    refused(() => read({ constraints: ['a b a b a'] }), /takes 5 tokens, and it may have 4/);
    refused(() => read({ prefix: 'a b', constraints: ['d a b'] }), /takes 5 tokens, and it may have 4/);
    refused(() => read({ minLen: 3, maxLen: 2 }), /at least 3 tokens, of which at most 2/);
    refused(() => read({ constraints: ['a'] }, { sampling: true }), /by a beam, not by sampling/);
    refused(() => read({ constraints: ['a'] }, { diverseBeamGroups: 2 }), /by a beam, not by diverse groups/);
    assert.equal(
      read({ prefix: 'a b', constraints: ['b d a'] })!.required!.length,
      1,
      'it may lie over the prefix',
    );
  });
});

describe('lines of the input', () => {
  test('phrases behind a tab', () => {
    assert.deepEqual(splitRequest('a b\tc\td e'), { source: 'a b', constraints: ['c', 'd e'] });
    assert.deepEqual(splitRequest('a b'), { source: 'a b', constraints: [] });
  });

  test('objects in JSON, with known keys of the right kind alone', () => {
    assert.deepEqual(parseRequest('{"source": "a", "maxLen": 3}', 6), { source: 'a', maxLen: 3 });
    for (const [line, said] of [
      ['a b', /expected an object in JSON such as/],
      ['["a"]', /expected an object with the keys source, prefix, constraints/],
      ['{"prefix": "a"}', /expected a text to translate as source/],
      ['{"source": 3}', /expected a text as source, found 3/],
      ['{"source": "a", "constraint": []}', /found 'constraint'/],
      ['{"source": "a", "constraints": "b"}', /expected a list of texts as constraints/],
      ['{"source": "a", "minLen": -1}', /expected a whole number as minLen/],
      ['{"source": "a", "__proto__": 1}', /found '__proto__'/],
    ] as const)
      refused(() => parseRequest(line, 6), said);
  });
});

describe('a terminology', () => {
  const file = path.join(mkdtempSync(path.join(tmpdir(), 'terms-')), 'terms.tsv');
  const loaded = (text: string): Terminology => {
    writeFileSync(file, text);
    return Terminology.load(file);
  };

  test('gives what whole words of a line are to become, the longest term first', () => {
    const terms = loaded('# terms\n\nHund\tdog\nheißer Hund\thot dog\r\nC++\tC plus plus\n');
    assert.deepEqual(terms.phrasesFor('ein Hund, zwei Hunde, ein heißer Hund'), ['dog', 'hot dog']);
    assert.deepEqual(terms.phrasesFor('Schäferhund in C++.'), ['C plus plus']);
    assert.deepEqual(loaded('').phrasesFor('Hund'), []);
  });

  test('of which a line is not understood is refused', () => {
    for (const line of ['Hund', 'Hund\t', '\tdog', 'a\tb\tc'])
      refused(
        () => loaded(`x\ty\n${line}\n`),
        /expected a source phrase, a tab and a target phrase/,
        /terms\.tsv:2/,
      );
    refused(() => loaded('a\tb\na\tc\n'), /one translation of 'a', found 'b' and 'c'/, /terms\.tsv:2/);
  });
});
