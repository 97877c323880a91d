import assert from 'node:assert/strict';
import process from 'node:process';
import { test } from 'node:test';
import { Purpose, RandomStream } from '../../src/common/rng.js';
import { splitWords, stripEnd } from '../../src/metrics/python-text.js';
import { getTokenizer, TOKENIZER_NAMES } from '../../src/metrics/tokenizers/tokenizer.js';
import { startCpuTime } from '../cpu-time.js';

/** Lines for each tokenizer. `FUZZ_LINES=1000000 npm test -- tokenizers-fuzz` takes that many. */
const LINES = Number(process.env.FUZZ_LINES ?? 20_000);
const [SHORT, LONG, LONGEST] = [40, 5000, 2 ** 18];

/** Ranges of code points from which the characters of a line come, each as often as the others. */
const RANGES: readonly (readonly [first: number, last: number])[] = [
  [0x61, 0x7a], // letters
  [0x30, 0x39], // digits
  [0x21, 0x2f], // ASCII punctuation
  [0x2c, 0x2e], // its marks that numbers may hold
  [0x20, 0x20],
  [0x00, 0x20], // control characters
  [0x80, 0xa0], // more of them, and a space
  [0x2000, 0x200f], // spaces, zero width joiners, marks of direction
  [0x2028, 0x202f], // line separators, overrides of direction
  [0x0300, 0x036f], // combining marks
  [0x0590, 0x06ff], // Hebrew, Arabic
  [0x3000, 0x30ff], // an ideographic space, Japanese
  [0x4e00, 0x9fff], // Chinese
  [0xd800, 0xdfff], // halves of surrogate pairs, alone
  [0xfe00, 0xffff], // variation selectors, a byte order mark, full-width forms, no characters
  [0x1f300, 0x1faff], // emoji
  [0x10000, 0x10ffff], // all other planes
];
/** What 13a takes for something else than its characters. */
const ENTITIES = ['&amp;', '&quot;', '&lt;', '&gt;', '<skipped>', '-\n', '&amp;lt;'];
const ENTITY = /&|<skipped>|\n/;

/** The lines, always the same ones. */
function* randomLines(count: number): Generator<string> {
  for (let step = 0; step < count; step++) {
    const stream = new RandomStream({ seed: 1, step, purpose: Purpose.test });
    const length = stream.nextBelow(stream.nextBelow(500) === 0 ? LONG : SHORT);
    const characters = Array.from({ length }, () => {
      const kind = stream.nextBelow(RANGES.length * 4 + 1);
      if (kind === RANGES.length * 4) return ENTITIES[stream.nextBelow(ENTITIES.length)];
      const [first, last] = RANGES[kind % RANGES.length];
      return String.fromCodePoint(first + stream.nextBelow(last - first + 1));
    });
    yield stripEnd(characters.join(''));
  }
}

for (const name of TOKENIZER_NAMES) {
  test(`${name}: tokens of any text hold no white space, and none of its characters is lost`, () => {
    const tokenize = getTokenizer(name);
    for (const line of randomLines(LINES)) {
      const tokens = tokenize(line);
      const again = splitWords(tokens.join(' '));
      if (again.length !== tokens.length || again.some((token, i) => token !== tokens[i])) {
        assert.deepEqual(again, tokens, JSON.stringify(line));
      }
      if (name === '13a' && ENTITY.test(line)) continue;
      if (tokens.join('') !== splitWords(line).join('')) {
        assert.equal(tokens.join(''), splitWords(line).join(''), JSON.stringify(line));
      }
    }
  });
}

for (const name of TOKENIZER_NAMES) {
  test(`${name}: the time for a long line grows with its length alone`, () => {
    const tokenize = getTokenizer(name);
    for (const part of [
      'word ',
      ' ',
      'a',
      '.',
      '!',
      '5.',
      '5-',
      '-',
      '&amp;',
      '漢',
      '😀',
      '\ud83d',
      '«',
      '$',
    ]) {
      const line = stripEnd(part.repeat(LONGEST / part.length));
      const milliseconds = startCpuTime();
      tokenize(line);
      assert.ok(milliseconds() < 10_000, JSON.stringify(part));
    }
  });
}
