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
  const weights = new Float64Array(logProbs.length);
  for (let id = 0; id < weights.length; id++) weights[id] = Math.exp((logProbs[id] - most) / temperature);
  if (samplingTopk !== null) keep(weights, best(weights, samplingTopk));
  if (samplingTopp !== null) keep(weights, nucleus(weights, samplingTopp));
  let left = uniform * sumOf(weights);
  let last = -1;
  for (let id = 0; id < weights.length; id++) {
    if (weights[id] === 0) continue;
    last = id;
    left -= weights[id];
    if (left < 0) break;
  }
  return last;
}

/**
 * Ids that have weight, by falling weight, ties to the lower id: put in order band by band as they are asked for, since few of a
 * vocabulary have nearly all of it.
 */
function* falling(weights: Float64Array): Generator<number, undefined> {
  let above = Number.POSITIVE_INFINITY;
  for (let floor = 1 / 4; above > 0; above = floor, floor = floor > 1e-9 ? floor / 16 : 0) {
    const band: number[] = [];
    for (let id = 0; id < weights.length; id++) {
      const weight = weights[id];
      if (weight >= floor && weight < above && weight > 0) band.push(id);
    }
    yield* band.sort((a, b) => weights[b] - weights[a] || a - b);
  }
}

function best(weights: Float64Array, count: number): number[] {
  const ids: number[] = [];
  for (const id of falling(weights)) {
    ids.push(id);
    if (ids.length === count) break;
  }
  return ids;
}

/** The fewest of the best that have a share of the weight. */
function nucleus(weights: Float64Array, share: number): number[] {
  const enough = share * sumOf(weights);
  const ids: number[] = [];
  let sum = 0;
  for (const id of falling(weights)) {
    ids.push(id);
    sum += weights[id];
    if (sum >= enough) break;
  }
  return ids;
}

function sumOf(weights: Float64Array): number {
  let sum = 0;
  for (let id = 0; id < weights.length; id++) sum += weights[id];
  return sum;
}

function keep(weights: Float64Array, ids: readonly number[]): void {
  const kept = Float64Array.from(ids, (id) => weights[id]);
  weights.fill(0);
  ids.forEach((id, i) => {
    weights[id] = kept[i];
  });
}
