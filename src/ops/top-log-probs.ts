import { hasKernel, runFused } from './kernels.js';
import { ownValues, readAndDispose } from './reading.js';
import { tf } from './tf.js';

export interface TopLogProbs {
  /** Ids, best first, [N · k]. */
  ids: Int32Array;
  /** Natural log-probabilities, [N · k]. */
  logProbs: Float32Array;
  /** That of the id that was asked for besides, [N]. */
  ofAsked: Float32Array;
}

/**
 * The k most probable entries of each row, ties to the lower id. A row's result depends on that row alone.
 *
 * @param logits [N, V]
 * @param forbid ids that are not returned; they keep their share of the probability
 * @param asked an id whose log-probability is told of every row
 */
export async function topLogProbs(
  logits: tf.Tensor2D,
  k: number,
  forbid: readonly number[],
  asked: number,
): Promise<TopLogProbs> {
  if (!hasKernel('TopLogProbs')) return topLogProbsReference(logits, k, forbid, asked);
  const [ids, logProbs, ofAsked] = runFused(
    'TopLogProbs',
    { logits },
    { k, forbid: Int32Array.from(forbid), asked },
  );
  return {
    ids: await readAndDispose<'int32'>(ids),
    logProbs: await readAndDispose(logProbs),
    ofAsked: await readAndDispose(ofAsked),
  };
}

/**
 * Natural log-probabilities of all entries of each row, [N · V], in memory of their own. A row's result depends on that
 * row alone.
 *
 * @param logits [N, V]
 */
export async function allLogProbs(logits: tf.Tensor2D): Promise<Float32Array> {
  const [rows, size] = logits.shape;
  // The partition function follows from any entry, and is most exact by the best.
  const { ids, logProbs } = await topLogProbs(logits, 1, [], 0);
  const values = await ownValues(logits);
  for (let row = 0; row < rows; row++) {
    const first = row * size;
    const partition = values[first + ids[row]] - logProbs[row];
    for (let i = first; i < first + size; i++) values[i] -= partition;
  }
  return values;
}

/** topLogProbs on the values of the logits: the oracle of the fused one. */
export async function topLogProbsReference(
  logits: tf.Tensor2D,
  k: number,
  forbid: readonly number[],
  asked: number,
): Promise<TopLogProbs> {
  const [rows, size] = logits.shape;
  const values = await logits.data<'float32'>();
  const partitions = await logPartitions(logits);
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
  return {
    ids,
    logProbs,
    ofAsked: partitions.map((partition, row) => values[row * size + asked] - partition),
  };
}

/** log Σ exp of each row, [N]; as in the cross-entropy: max z − log max p. */
function logPartitions(logits: tf.Tensor2D): Promise<Float32Array> {
  return readAndDispose(tf.tidy(() => tf.sub(tf.max(logits, 1), tf.log(tf.max(tf.softmax(logits), 1)))));
}

/** Whether a value stands before one of a lower id: the larger first, NaN last. */
const precedes = (a: number, b: number): boolean => a > b || (Number.isNaN(b) && !Number.isNaN(a));

/** Writes the ids of the k largest values, best first, ties to the lower id; NaN sorts last. */
export function selectTop(
  values: Float32Array,
  k: number,
  forbidden: ReadonlySet<number>,
  ids: Int32Array,
): void {
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
