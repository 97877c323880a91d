import { type Batch, packBatch } from '../../data/batch.js';
import { EOS } from '../../data/dictionary.js';
import type { AttentionMatrix } from '../../model/attention-matrix.js';
import { type BatchLimits, lengthBatches } from '../length-batches.js';

/** What the target tokens of a batch attend to in the source: a matrix for each sentence. */
export type ForcedAttention = (batch: Batch) => Promise<AttentionMatrix[]>;

/** A sentence and its translation, each ending in `</s>`. */
export interface IdPair {
  source: Int32Array;
  target: Int32Array;
}

/** The matrix of each pair, in their order; pairs of like length are computed together. */
export async function attentionOfPairs(
  pairs: readonly IdPair[],
  attention: ForcedAttention,
  limits: BatchLimits,
): Promise<AttentionMatrix[]> {
  const found = new Array<AttentionMatrix>(pairs.length);
  const lengths = pairs.map(({ source, target }) => Math.max(source.length, target.length));
  for (const places of lengthBatches(lengths, limits)) {
    const matrices = await attention(
      packBatch(
        places,
        places.map((place) => pairs[place]),
        EOS,
      ),
    );
    places.forEach((place, i) => {
      found[place] = matrices[i];
    });
  }
  return found;
}
