import { hasKernel, runFused } from './kernels.js';
import { tf } from './tf.js';

export interface TopLogProbs {
  /** Ids, best first, [N · k]. */
  ids: Int32Array;
  /** Natural log-probabilities, [N · k]. */
  logProbs: Float32Array;
}

/**
 * The k most probable entries of each row, ties to the lower id. A row's result depends on that row alone.
 *
 * @param logits [N, V]
 * @param forbid ids that are not returned; they keep their share of the probability
 */
export function topLogProbs(logits: tf.Tensor2D, k: number, forbid: readonly number[] = []): TopLogProbs {
  return hasKernel('TopLogProbs') ? fusedTop(logits, k, forbid) : topLogProbsReference(logits, k, forbid);
}

function fusedTop(logits: tf.Tensor2D, k: number, forbid: readonly number[]): TopLogProbs {
  return tf.tidy(() => {
    const [ids, logProbs] = runFused('TopLogProbs', { logits }, { k, forbid: Int32Array.from(forbid) });
    return { ids: ids.dataSync() as Int32Array, logProbs: logProbs.dataSync() as Float32Array };
  }) as unknown as TopLogProbs;
}

/** The same on the values of the logits: the oracle of the fused one. */
export function topLogProbsReference(
  logits: tf.Tensor2D,
  k: number,
  forbid: readonly number[] = [],
): TopLogProbs {
  const [rows, size] = logits.shape;
  const values = logits.dataSync() as Float32Array;
  const partitions = logPartitions(logits);
  const ids = new Int32Array(rows * k);
  const logProbs = new Float32Array(rows * k);
  const forbidden = new Set(forbid);
  for (let row = 0; row < rows; row++) {
    selectTop(
      values.subarray(row * size, (row + 1) * size),
      k,
      forbidden,
      ids.subarray(row * k, (row + 1) * k),
    );
    for (let i = row * k; i < (row + 1) * k; i++) logProbs[i] = values[row * size + ids[i]] - partitions[row];
  }
  return { ids, logProbs };
}

/** Natural log-probability of one id in each row of logits [N, V]. */
export function logProbsOf(logits: tf.Tensor2D, id: number): Float32Array {
  const size = logits.shape[1];
  const values = logits.dataSync() as Float32Array;
  return logPartitions(logits).map((partition, row) => values[row * size + id] - partition);
}

/** log Σ exp of each row, [N]; as in the cross-entropy: max z − log max p. */
function logPartitions(logits: tf.Tensor2D): Float32Array {
  if (hasKernel('LogPartitions'))
    return tf.tidy(() => runFused('LogPartitions', { logits }, {})[0].dataSync() as Float32Array);
  return tf.tidy(
    () => tf.sub(tf.max(logits, 1), tf.log(tf.max(tf.softmax(logits), 1))).dataSync() as Float32Array,
  );
}

/** Whether a value stands before one of a lower id: the larger first, NaN last. */
const precedes = (a: number, b: number): boolean => a > b || (Number.isNaN(b) && !Number.isNaN(a));

/** Writes the ids of the k largest values, best first, ties to the lower id; NaN sorts last. */
function selectTop(values: Float32Array, k: number, forbidden: ReadonlySet<number>, ids: Int32Array): void {
  let count = 0;
  let least = Number.NEGATIVE_INFINITY;
  for (let id = 0; id < values.length; id++) {
    const value = values[id];
    if ((count === k && !precedes(value, least)) || forbidden.has(id)) continue;
    let place = count < k ? count++ : k - 1;
    while (place > 0 && precedes(value, values[ids[place - 1]])) {
      ids[place] = ids[place - 1];
      place--;
    }
    ids[place] = id;
    least = values[ids[count - 1]];
  }
}
