import { NumpyGenerator } from './numpy-random.js';
import type { SegmentStatistics } from './segment-statistics.js';

/**
 * The work of a test of significance: to draw samples of the segments, and to sum the statistics of each. Samples follow one
 * another in one stream of random numbers; where one ends is known when it is drawn, so drawing is a chain, but those that are
 * drawn can be summed at the same time.
 */
export interface Sampling {
  /** `resamples`: of the bootstrap, with replacement; `trials`: a fair coin tells for each segment whether it is in. */
  kind: 'resamples' | 'trials';
  samples: number;
  /**
   * Statistics of the segments in strips of four columns, [width / 4][size][4]: a strip stays in the cache. Resamples have them, and
   * every step of their sums, in single precision, trials in double precision.
   */
  table: Float32Array | Float64Array;
  /** Columns, a multiple of four. */
  width: number;
  /** Of the generator: see entropyOf. */
  entropy: readonly number[];
}

/** Sums of the samples, one after another, [samples · width]. */
export type Sums = Float32Array | Float64Array;

/** Makes the sums of all samples, on one thread or on several: they are the same. */
export type SumSamples = (sampling: Sampling) => Sums;

/** Draws samples and sums them, some at a time. */
export interface Sampler {
  /** Samples at a time. */
  readonly batch: number;
  /** Draws samples. @param place in the stream, 0 at its begin. @returns the place of the sample after them */
  draw(samples: number, place: number): number;
  /** Sums the samples that were drawn last. @param sums [samples · width] */
  sum(sums: Sums): void;
}

export function createSampler(sampling: Sampling): Sampler {
  return sampling.kind === 'resamples' ? new Resamples(sampling) : new Trials(sampling);
}

/** The sums on this thread alone. */
export function sumSamples(sampling: Sampling): Sums {
  const { kind, samples, width } = sampling;
  const sampler = createSampler(sampling);
  const sums = new NUMBERS[kind](samples * width);
  let place = 0;
  for (let from = 0; from < samples; from += sampler.batch) {
    const to = Math.min(samples, from + sampler.batch);
    place = sampler.draw(to - from, place);
    sampler.sum(sums.subarray(from * width, to * width));
  }
  return sums;
}

const NUMBERS = { resamples: Float32Array, trials: Float64Array };

/** Columns of a strip. */
const STRIP = 4;

/**
 * Statistics of the same segments side by side: those of tables[j] have the columns offsets[j] … offsets[j + 1]; what
 * fills the last strip is zero.
 */
export function layOut(kind: Sampling['kind'], tables: readonly SegmentStatistics[]) {
  const offsets = [0];
  for (const { width } of tables) offsets.push(offsets[offsets.length - 1] + width);
  const width = STRIP * Math.ceil(offsets[tables.length] / STRIP);
  const { size } = tables[0];
  const table = new NUMBERS[kind](size * width);
  tables.forEach(({ values, width: own }, j) => {
    for (let k = 0; k < own; k++) {
      const column = offsets[j] + k;
      let at = (column - (column % STRIP)) * size + (column % STRIP);
      for (let i = k; i < values.length; i += own, at += STRIP) table[at] = values[i];
    }
  });
  return { table, width, offsets };
}

/** Draws at one go. */
const DRAWS = 2 ** 18;

/** Of the bootstrap; a place is a 32-bit word. */
class Resamples implements Sampler {
  readonly batch: number;
  private readonly table: Sampling['table'];
  private readonly width: number;
  private readonly size: number;
  private readonly generator: NumpyGenerator;
  /** Segments of each sample, [batch · size]. */
  private readonly chosen: Uint32Array;

  constructor({ table, width, samples, entropy }: Sampling) {
    this.table = table;
    this.width = width;
    this.size = table.length / width;
    this.batch = Math.min(samples, Math.ceil(DRAWS / this.size));
    this.generator = new NumpyGenerator(entropy);
    this.chosen = new Uint32Array(this.batch * this.size);
  }

  draw(samples: number, place: number): number {
    this.generator.seek(place);
    // numpy draws sample by sample, which makes no difference: every draw takes words of its own.
    this.generator.choose(this.size, this.chosen.subarray(0, samples * this.size));
    return this.generator.place;
  }

  sum(sums: Sums): void {
    const { size, width, table } = this;
    for (let k = 0; k < width; k += STRIP) {
      const strip = table.subarray(k * size, (k + STRIP) * size);
      for (let own = k, first = 0; own < sums.length; own += width, first += size) {
        sumStrip(strip, this.chosen.subarray(first, first + size), sums.subarray(own, own + STRIP));
      }
    }
  }
}

/** Sums of chosen rows of a strip. Sums in variables take half the time of sums in memory. */
function sumStrip(strip: Sums, chosen: Uint32Array, sums: Sums): void {
  let [a, b, c, d] = [0, 0, 0, 0];
  for (let i = 0; i < chosen.length; i++) {
    const row = STRIP * chosen[i];
    a = Math.fround(a + strip[row]);
    b = Math.fround(b + strip[row + 1]);
    c = Math.fround(c + strip[row + 2]);
    d = Math.fround(d + strip[row + 3]);
  }
  sums.set([a, b, c, d]);
}

/** Trials, and coins, at one go. */
const TRIALS = 1024;
const COINS = 2 ** 27;

/**
 * Of approximate randomization; a place is a bit. Segments are taken 32 at a time, in groups of eight: the sums of all
 * subsets of a group are made once for many trials, and each adds those that its coins choose (the method of four Russians,
 * Arlazarov et al. 1970).
 */
class Trials implements Sampler {
  readonly batch: number;
  private readonly table: Sampling['table'];
  private readonly width: number;
  private readonly size: number;
  private readonly generator: NumpyGenerator;
  /** Coins of the trials, from bit `first` on. */
  private readonly coins: Uint32Array;
  private first = 0;
  /** Sums of the subsets of four groups, [4][256][STRIP]. */
  private readonly subsets = new Float64Array(4 * 256 * STRIP);

  constructor({ table, width, samples, entropy }: Sampling) {
    this.table = table;
    this.width = width;
    this.size = table.length / width;
    this.batch = Math.min(samples, TRIALS, 32 * Math.ceil(COINS / 32 / this.size)); // ends where a word ends
    this.generator = new NumpyGenerator(entropy);
    this.coins = new Uint32Array(Math.ceil((this.batch * this.size) / 32) + 2);
  }

  draw(samples: number, place: number): number {
    this.first = place % 32;
    this.generator.seek((place - this.first) / 32);
    const words = Math.ceil((this.first + samples * this.size) / 32);
    for (let i = 0; i < words; i++) this.coins[i] = this.generator.word();
    return place + samples * this.size;
  }

  sum(sums: Sums): void {
    const { size, width, table } = this;
    sums.fill(0);
    for (let k = 0; k < width; k += STRIP) {
      const strip = table.subarray(k * size, (k + STRIP) * size);
      for (let segment = 0; segment < size; segment += 32) {
        for (let group = 0; group < 4; group++) this.sumSubsets(strip, segment + 8 * group, group);
        this.addChosen(segment, sums, k);
      }
    }
  }

  /** Fills one of the four tables of subsets with those of eight segments, of which the last may be missing. */
  private sumSubsets(strip: Sums, segment: number, group: number): void {
    const subsets = this.subsets.subarray(group * 256 * STRIP);
    for (let bit = 0; bit < 8; bit++) {
      const row = (segment + bit) * STRIP;
      const count = STRIP << bit;
      for (let i = 0; i < count; i++) {
        subsets[count + i] = subsets[i] + (row < strip.length ? strip[row + (i % STRIP)] : 0);
      }
    }
  }

  /** Adds what the coins of 32 segments choose to columns k … k + 3 of all trials. */
  private addChosen(segment: number, sums: Sums, k: number): void {
    const { coins, subsets, width, size } = this;
    let bit = this.first + segment;
    for (let own = k; own < sums.length; own += width, bit += size) {
      const word = bit >>> 5;
      const shift = bit & 31;
      const heads = shift === 0 ? coins[word] : (coins[word] >>> shift) | (coins[word + 1] << (32 - shift));
      // numpy keeps the segment of the first system where the coin is 1; it changes sides, and counts here, where it is 0.
      const tails = ~heads;
      const a = STRIP * (tails & 255);
      const b = STRIP * (256 + ((tails >>> 8) & 255));
      const c = STRIP * (512 + ((tails >>> 16) & 255));
      const d = STRIP * (768 + (tails >>> 24));
      sums[own] += subsets[a] + subsets[b] + subsets[c] + subsets[d];
      sums[own + 1] += subsets[a + 1] + subsets[b + 1] + subsets[c + 1] + subsets[d + 1];
      sums[own + 2] += subsets[a + 2] + subsets[b + 2] + subsets[c + 2] + subsets[d + 2];
      sums[own + 3] += subsets[a + 3] + subsets[b + 3] + subsets[c + 3] + subsets[d + 3];
    }
  }
}
