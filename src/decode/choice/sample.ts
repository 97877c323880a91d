import { selectTop } from '../../ops/top-log-probs.js';
import { exponential } from './exponential.js';

/** How tokens are drawn. */
export interface Drawing {
  /** Among so many of the best; null is all. */
  samplingTopk?: number | null;
  /** Among the fewest of the best that have this much of the probability; null is all. */
  samplingTopp?: number | null;
  temperature?: number;
}

/**
 * Draws a token: those that may be, in the order of their ids, lie side by side, each as wide as it is probable.
 *
 * @param logProbs of all tokens, [V]; −∞ for what must not be
 * @param uniform where it falls, in [0, 1)
 * @returns an id; −1 where nothing may be
 */
export function draw(
  logProbs: Float32Array,
  uniform: number,
  { samplingTopk = null, samplingTopp = null, temperature = 1 }: Drawing,
): number {
  let most = Number.NEGATIVE_INFINITY;
  for (let id = 0; id < logProbs.length; id++) if (logProbs[id] > most) most = logProbs[id];
  if (!Number.isFinite(most)) return -1;
  const few = samplingTopk === null ? null : best(logProbs, samplingTopk);
  const weights = few === null ? room(logProbs.length) : new Float64Array(few.length);
  const total = weigh(logProbs, few, most, temperature, weights);
  const places = samplingTopp === null ? null : nucleus(weights, samplingTopp * total);
  const place = places === null ? fall(weights, uniform * total) : fallAmong(weights, places, uniform);
  return few === null ? place : few[place];
}

/** The memory of the weights of a vocabulary, which every draw needs for a moment. */
let whole = new Float64Array(0);

function room(length: number): Float64Array {
  if (whole.length !== length) whole = new Float64Array(length);
  return whole;
}

/** Ids of the best, in the order of ids. */
function best(logProbs: Float32Array, count: number): Int32Array {
  const ids = new Int32Array(Math.min(count, logProbs.length));
  selectTop(logProbs, ids.length, NONE, ids);
  return ids.sort();
}

const NONE: ReadonlySet<number> = new Set();

/** Writes (p / p of the best)^(1 / temperature) of all ids, or of a few. @returns their sum */
function weigh(
  logProbs: Float32Array,
  few: Int32Array | null,
  most: number,
  temperature: number,
  weights: Float64Array,
): number {
  let sum = 0;
  for (let place = 0; place < weights.length; place++) {
    const weight = exponential((logProbs[few === null ? place : few[place]] - most) / temperature);
    weights[place] = weight;
    sum += weight;
  }
  return sum;
}

/** The place that a point falls on where all weights lie side by side; the last that has any where rounding leaves a rest. */
function fall(weights: Float64Array, point: number): number {
  let left = point;
  let last = -1;
  for (let place = 0; place < weights.length; place++) {
    const weight = weights[place];
    if (weight === 0) continue;
    last = place;
    left -= weight;
    if (left < 0) break;
  }
  return last;
}

/** The same among some places, in their order. */
function fallAmong(weights: Float64Array, places: readonly number[], uniform: number): number {
  const own = Float64Array.from(places, (place) => weights[place]);
  return places[fall(own, uniform * own.reduce((sum, weight) => sum + weight, 0))];
}

/**
 * The fewest of the heaviest places that have so much of the weight, ties to the lower place, in the order of places. Only the
 * places of one band have to be put in order: those of the bands above it are in, and those below are not.
 */
function nucleus(weights: Float64Array, enough: number): number[] {
  const words = new Uint32Array(weights.buffer, weights.byteOffset, 2 * weights.length);
  const bandAt = (place: number): number => Math.max(0, (words[2 * place + HIGH] >>> MANTISSA) - LOWEST);
  sums.fill(0);
  for (let place = 0; place < weights.length; place++) sums[bandAt(place)] += weights[place];
  let edge = BANDS - 1;
  let sum = 0;
  for (; edge > 0 && sum + sums[edge] < enough; edge--) sum += sums[edge];
  const above: number[] = [];
  const within: number[] = [];
  for (let place = 0; place < weights.length; place++) {
    const band = bandAt(place);
    if (band > edge) above.push(place);
    else if (band === edge && weights[place] > 0) within.push(place);
  }
  within.sort((a, b) => weights[b] - weights[a] || a - b);
  const last = within.findIndex((place) => {
    sum += weights[place];
    return sum >= enough;
  });
  return [...above, ...(last === -1 ? within : within.slice(0, last + 1))].sort((a, b) => a - b);
}

/*
 * Bands of weights, eight to each power of 2 from 1 down to 2⁻⁶⁴: the upper bits of a double. A weight is at most 1; all below are one
 * band.
 */
const MANTISSA = 17;
const BANDS = 8 * 65;
const LOWEST = 8 * 1024 - BANDS;
const sums = new Float64Array(BANDS);
/** Which of the two words of a double has its exponent. */
const HIGH = new Uint32Array(Float64Array.of(1).buffer)[1] === 0 ? 0 : 1;
