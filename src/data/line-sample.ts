import { Purpose, RandomStream } from '../common/rng.js';

/** Which lines are drawn is a function of their number alone, as in spm_train: a dataset does not depend on a run's seed. */
const SEED = 12345678;
const DIGITS = 2 ** 16;

/** Tells of any line whether it is drawn. Plain data: it is sent to threads. */
export interface LineDraw {
  /** The greatest random number of a line that is drawn. */
  readonly greatest: number;
  /** The last line that is drawn with just this number. */
  readonly lastTie: number;
}

/**
 * Draws so many of the lines of a text: those with the least random numbers, a function of the line's place. No line is
 * held.
 *
 * @param lines how many there are
 */
export function drawLines(lines: number, wanted: number): LineDraw {
  if (wanted >= lines) return { greatest: DIGITS ** 2, lastTie: -1 };
  const random = randomOfLines();
  // The number at place `rank` of the sorted ones, digit by digit.
  const digit = (rank: number, digitOf: (number: number) => number): { digit: number; rest: number } => {
    const sizes = new Float64Array(DIGITS);
    for (let line = 0; line < lines; line++) {
      const digit = digitOf(random.at(line));
      if (digit >= 0) sizes[digit]++;
    }
    let [digit, rest] = [0, rank];
    while (sizes[digit] < rest) rest -= sizes[digit++];
    return { digit, rest };
  };
  const high = digit(wanted, (number) => number >>> 16);
  const low = digit(high.rest, (number) => (number >>> 16 === high.digit ? number % DIGITS : -1));
  const greatest = high.digit * DIGITS + low.digit;
  let lastTie = -1;
  for (let ties = 0; ties < low.rest; ) if (random.at(++lastTie) === greatest) ties++;
  return { greatest, lastTie };
}

/** @returns what tells of a line, from 0, whether it is drawn */
export function isDrawn({ greatest, lastTie }: LineDraw): (line: number) => boolean {
  const random = randomOfLines();
  return (line) => {
    const number = random.at(line);
    return number < greatest || (number === greatest && line <= lastTie);
  };
}

function randomOfLines(): RandomStream {
  return new RandomStream({ seed: SEED, step: 0, purpose: Purpose.lineSample });
}
