import type { PairSource, Resegment } from '../../data/batch-iterator.js';

/** Pairs that are counted at most, evenly spread; far fewer where each has to be segmented anew. */
const MOST_PAIRS = { stored: 100_000, resegmented: 20_000 } as const;

/**
 * Loss of a model that knows how frequent the words of the target side are, `</s>` counted, and nothing else: in bits a
 * token, −Σ p·log₂ q. With label smoothing ε the best it can say is not p but q = (1 − ε)·p + ε/V.
 *
 * @param vocabulary V, words of the target side
 */
export function unigramLoss(
  pairs: PairSource,
  vocabulary: number,
  labelSmoothing: number,
  resegment?: Resegment,
): number {
  const size = pairs.targetLengths.length;
  const most = resegment === undefined ? MOST_PAIRS.stored : MOST_PAIRS.resegmented;
  const step = Math.max(1, size / most);
  const counts = new Map<number, number>();
  let total = 0;
  for (let place = 0; place < size; place += step) {
    const index = Math.floor(place);
    const pair = pairs.pair(index);
    const { target } = resegment?.(pair, index, 1) ?? pair;
    for (const id of target) counts.set(id, (counts.get(id) ?? 0) + 1);
    total += target.length;
  }
  let loss = 0;
  for (const count of counts.values()) {
    const p = count / total;
    loss -= p * Math.log2((1 - labelSmoothing) * p + labelSmoothing / vocabulary);
  }
  return loss;
}
