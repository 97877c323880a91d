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
  const most = logProbs.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  if (!Number.isFinite(most)) return -1;
  const weights = Float64Array.from(logProbs, (value) => Math.exp((value - most) / temperature));
  if (samplingTopk !== null) keep(weights, best(weights).slice(0, samplingTopk));
  if (samplingTopp !== null) keep(weights, nucleus(weights, samplingTopp));
  let left = uniform * weights.reduce((sum, weight) => sum + weight, 0);
  let last = -1;
  for (let id = 0; id < weights.length; id++) {
    if (weights[id] === 0) continue;
    last = id;
    left -= weights[id];
    if (left < 0) break;
  }
  return last;
}

/** Ids by falling weight, ties to the lower id. */
function best(weights: Float64Array): Int32Array {
  return Int32Array.from(weights.keys()).sort((a, b) => weights[b] - weights[a] || a - b);
}

/** The fewest of the best that have a share of the weight. */
function nucleus(weights: Float64Array, share: number): Int32Array {
  const order = best(weights);
  const enough = share * weights.reduce((sum, weight) => sum + weight, 0);
  let count = 0;
  for (let sum = 0; count < order.length && sum < enough; count++) sum += weights[order[count]];
  return order.slice(0, Math.max(1, count));
}

function keep(weights: Float64Array, ids: Int32Array): void {
  const kept = Float64Array.from(ids, (id) => weights[id]);
  weights.fill(0);
  ids.forEach((id, i) => {
    weights[id] = kept[i];
  });
}
