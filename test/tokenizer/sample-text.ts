import { Purpose, RandomStream } from '../../src/common/rng.js';

/** Text that we make ourselves, a function of the seed: for training and for hard cases. */

/** Letters of made-up words by script; marks are among them. */
const ALPHABETS = [
  'etaoinshrdlucmfwyp',
  'enirstadhulcgmobwäöüß',
  'оеаинтсрвлкмдпуяы',
  'αειοντσρκλμπυη',
  'のにはをがですました日本語学生人',
  'اللنميورتبةعد',
  'कखगतनपमरलसहािीेो्',
  '한국말사람가나다하는이를',
  'กขคนมรลสาิีเแ',
];
const MARKS = ['.', ',', '!', '?', ' -', '"', ')', '…'];

function stream(seed: number, site: number): RandomStream {
  return new RandomStream({ seed, step: 0, purpose: Purpose.test, site });
}

function pick<T>(random: RandomStream, items: ArrayLike<T>): T {
  return items[random.nextBelow(items.length)];
}

/** Lines of made-up words, a few of them frequent and most of them rare, mostly one script to a line. */
export function makeText(seed: number, lines: number, scripts = ALPHABETS.length): string[] {
  const random = stream(seed, 1);
  const lexicons = ALPHABETS.slice(0, scripts).map((alphabet) => makeWords(random, [...alphabet]));
  return Array.from({ length: lines }, () => {
    const words = pick(random, lexicons);
    const length = 2 + random.nextBelow(12);
    const line = Array.from({ length }, () => {
      const word = words[Math.floor(random.nextUniform() ** 3 * words.length)];
      if (random.nextBelow(20) === 0) return String(random.nextBelow(3000));
      return random.nextBelow(12) === 0 ? word + pick(random, MARKS) : word;
    });
    return line.join(' ');
  });
}

function makeWords(random: RandomStream, letters: readonly string[]): string[] {
  return Array.from({ length: 160 }, () => {
    const length = 1 + random.nextBelow(9);
    const word = Array.from(
      { length },
      () => letters[Math.floor(random.nextUniform() ** 2 * letters.length)],
    );
    return random.nextBelow(25) === 0 ? word.join('').toUpperCase() : word.join('');
  });
}

/** First and last characters of blocks that normalisation, scripts or encodings make hard. */
const RANGES: readonly (readonly [number, number])[] = [
  [0x20, 0x7e],
  [0x61, 0x7a],
  [0x01, 0x09],
  [0x0e, 0x1f],
  [0x7f, 0x17f],
  [0x300, 0x345],
  [0x370, 0x52f],
  [0x5b0, 0x6ff],
  [0x900, 0x97f],
  [0xe00, 0xe7f],
  [0x1100, 0x11ff],
  [0x1e00, 0x1fff],
  [0x2000, 0x206f],
  [0x2100, 0x21ff],
  [0x2460, 0x24ff],
  [0x2580, 0x2588],
  [0x3000, 0x30ff],
  [0x3200, 0x33ff],
  [0x4e00, 0x4f00],
  [0xac00, 0xad00],
  [0xf900, 0xfaff],
  [0xfb00, 0xfdff],
  [0xfe00, 0xffff],
  [0x1d400, 0x1d4ff],
  [0x1f300, 0x1f64f],
  [0x20000, 0x20080],
];
const PIECES = [
  ' ',
  '  ',
  '\u2581',
  '\u2585',
  '<s>',
  '</s>',
  '<unk>',
  '<0x41>',
  '\u00a0',
  '\u200b',
  '\ufeff',
  '\t',
  '\r',
];

/** Lines of hard cases: mixed scripts, odd spaces, marks without a letter, special symbols, repeated letters. */
export function makeFuzzLines(seed: number, lines: number): string[] {
  const random = stream(seed, 2);
  const plain = makeText(seed, 200);
  return Array.from({ length: lines }, () => {
    let line = '';
    for (let parts = random.nextBelow(10); parts >= 0; parts--) line += fuzzPart(random, plain);
    return line;
  });
}

function fuzzPart(random: RandomStream, plain: readonly string[]): string {
  const kind = random.nextBelow(10);
  if (kind < 3) return ` ${pick(random, pick(random, plain).split(' '))}`;
  if (kind < 5) return pick(random, PIECES);
  if (kind === 5) return 'a'.repeat(random.nextBelow(12));
  const [first, last] = pick(random, RANGES);
  const length = 1 + random.nextBelow(5);
  return Array.from({ length }, () => String.fromCodePoint(first + random.nextBelow(last - first + 1))).join(
    '',
  );
}
