// A parallel text of any size with an open vocabulary, for measuring preprocess and the training of tokenizers:
//   node dist/scripts/zipf-corpus.js [--pairs N] [--start N] [--seed N] [--exponent S] PREFIX
// writes PREFIX.zia and PREFIX.zib. Pair i is a function of the seed and i alone: memory does not grow with the text, a
// text starts with the same pairs whatever its size, and --start makes parts side by side.
import * as fs from 'node:fs';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { Purpose, RandomStream } from '../src/common/rng.js';

/**
 * How the text is drawn. A word is a rank, drawn by the law of Zipf and Mandelbrot, p ∝ (rank + SHIFT)^−exponent, so that
 * new words come as long as the text goes on: at the exponent 1.2 the first 4 M pairs have about 18 M different ones, on both sides together,
 * several times what natural text has; the nearer to 1, the more. Both languages spell a rank in syllables and an ending
 * of their own, frequent ranks shorter, so the right translation is word by word; names stand on both sides and at no
 * other place of the text. Some neighbours change places on the target side, some words carry a comma, some are
 * numbers. Lengths are log-normal. One pair in a hundred repeats an earlier one.
 */
export interface ZipfOptions {
  readonly seed: number;
  readonly exponent: number;
}

export const ZIPF_DEFAULTS: ZipfOptions = { seed: 1, exponent: 1.2 };

const SHIFT = 4;
const RANKS = 2 ** 40;
const LENGTH = { logMean: 3.1, logDeviation: 0.55, most: 200 };
const REPEAT_RATE = 0.01;
const NUMBER_RATE = 0.02;
const NAME_RATE = 0.002;
const COMMA_RATE = 0.07;
const SWAP_RATE = 0.2;
/** Ranks whose spelling is kept. */
const FREQUENT = 2 ** 16;
/** Lines written at a time. */
const BLOCK = 4096;

/** What a language spells words with; a syllable ends in a vowel and an ending has none, so no two ranks look alike. */
class Spelling {
  private readonly syllables: string[];
  private readonly endings: readonly string[];
  private readonly known: string[] = [];

  constructor(onsets: string, vowels: string, endings: string) {
    this.syllables = [...onsets.split(' ')].flatMap((onset) => [...vowels].map((vowel) => onset + vowel));
    this.endings = endings.split(' ');
  }

  word(rank: number): string {
    if (rank >= FREQUENT) return this.spell(rank);
    this.known[rank] ??= this.spell(rank);
    return this.known[rank];
  }

  /** Bijective numeration in syllables: the first ranks have one, the next two, and so on. */
  private spell(rank: number): string {
    const { syllables, endings } = this;
    let text = endings[rank % endings.length];
    for (let rest = Math.floor(rank / endings.length); rest >= 0; ) {
      text = syllables[rest % syllables.length] + text;
      rest = Math.floor(rest / syllables.length) - 1;
    }
    return text;
  }
}

const SOURCE = new Spelling('b d f g k l m n p r s t v st pr', 'aeiou', ' s n r t nd x st');
const TARGET = new Spelling('b ch d f g h j k l m n qu r s t w z sch tr', 'aeiouéô', ' n s m rt ch ls');
const NAMES = new Spelling('B D F G K L M N P R S T V W', 'aeiou', ' n r l sk');

/** Pair `index` of the text. */
export function zipfPair(
  index: number,
  options: ZipfOptions = ZIPF_DEFAULTS,
): [source: string, target: string] {
  const random = new RandomStream({ seed: options.seed, step: index, purpose: Purpose.data });
  const repeats = random.nextUniform() < REPEAT_RATE && index > 0;
  return repeats ? zipfPair(random.nextBelow(index), options) : drawPair(random, index, options);
}

function drawPair(random: RandomStream, index: number, { exponent }: ZipfOptions): [string, string] {
  const source: string[] = [];
  const target: string[] = [];
  const length = drawLength(random);
  for (let place = 0; place < length; place++) {
    const kind = random.nextUniform();
    const mark = random.nextUniform() < COMMA_RATE ? ',' : '';
    if (kind < NAME_RATE + NUMBER_RATE) {
      const same = kind < NUMBER_RATE ? String(random.nextBelow(2100)) : newName(index, place);
      source.push(same + mark);
      target.push(same + mark);
      continue;
    }
    const rank = drawRank(random, exponent);
    source.push(SOURCE.word(rank) + mark);
    target.push(TARGET.word(rank) + mark);
  }
  for (let place = 1; place < length; place++) {
    if (random.nextUniform() >= SWAP_RATE) continue;
    [target[place - 1], target[place]] = [target[place], target[place - 1]];
  }
  return [sentence(source), sentence(target)];
}

function drawLength(random: RandomStream): number {
  const { logMean, logDeviation, most } = LENGTH;
  return Math.min(most, Math.max(1, Math.round(Math.exp(logMean + logDeviation * random.nextNormal()))));
}

/** A rank from 0, by the inverse of the distribution function of the density (x + SHIFT)^−exponent. */
function drawRank(random: RandomStream, exponent: number): number {
  const tail = (1 + RANKS / SHIFT) ** (1 - exponent);
  const above = 1 - random.nextUniform() * (1 - tail);
  return Math.floor(SHIFT * (above ** (1 / (1 - exponent)) - 1));
}

function newName(index: number, place: number): string {
  return NAMES.word(FREQUENT + index * LENGTH.most + place);
}

function sentence(words: readonly string[]): string {
  const text = words.join(' ');
  return `${text[0].toUpperCase()}${text.slice(1)}.`;
}

/** Writes pairs `start` to `end`. */
export function writeZipfCorpus(prefix: string, start: number, end: number, options: ZipfOptions): void {
  const files = ['zia', 'zib'].map((language) => fs.openSync(`${prefix}.${language}`, 'w'));
  for (let block = start; block < end; block += BLOCK) {
    const texts = ['', ''];
    for (let index = block; index < Math.min(end, block + BLOCK); index++) {
      zipfPair(index, options).forEach((line, side) => {
        texts[side] += `${line}\n`;
      });
    }
    files.forEach((file, side) => {
      fs.writeFileSync(file, texts[side]);
    });
  }
  files.forEach(fs.closeSync);
}

function main(): void {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      pairs: { type: 'string', default: '100000' },
      start: { type: 'string', default: '0' },
      seed: { type: 'string', default: String(ZIPF_DEFAULTS.seed) },
      exponent: { type: 'string', default: String(ZIPF_DEFAULTS.exponent) },
    },
  });
  const start = Number(values.start);
  writeZipfCorpus(positionals[0], start, start + Number(values.pairs), {
    seed: Number(values.seed),
    exponent: Number(values.exponent),
  });
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(fs.realpathSync(process.argv[1])).href)
  main();
