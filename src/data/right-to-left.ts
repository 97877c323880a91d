import { type Batch, packBatch } from './batch.js';
import type { Resegment } from './batch-iterator.js';
import type { TrainingSplit } from './corpus-mix.js';
import { EOS } from './dictionary.js';
import type { SentencePair } from './parallel-dataset.js';

/** A sentence from its last token to its first, or back: `</s>` stays at the end. */
export function backwards(ids: Int32Array): Int32Array {
  const turned = ids.slice();
  turned.subarray(0, -1).reverse();
  return turned;
}

const turnTarget = (pair: SentencePair): SentencePair => ({
  ...pair,
  target: backwards(pair.target),
  ...(pair.links !== undefined && { links: turnLinks(pair.links, pair.target.length - 1) }),
});

/** Links to a target that is turned. @param length of it, but for `</s>` */
const turnLinks = (links: Int32Array, length: number): Int32Array =>
  links.map((place, i) => (i % 2 === 0 || place === length ? place : length - 1 - place));

/** A split with its targets as a model writes them. @param rightToLeft whether that is from the last token to the first */
export function asWritten({ rightToLeft }: { rightToLeft: boolean }, split: TrainingSplit): TrainingSplit {
  if (!rightToLeft) return split;
  return {
    ...{ sourceLengths: split.sourceLengths, targetLengths: split.targetLengths },
    ...{ size: split.size, hash: split.hash },
    ...(split.draw !== undefined && { draw: split.draw }),
    pair: (index) => turnTarget(split.pair(index)),
    pairs: async (indices) => (await split.pairs(indices)).map(turnTarget),
    close: () => split.close(),
  };
}

/** BPE-dropout of such pairs: text is segmented as it is read. */
export function resegmentBackwards(resegment: Resegment): Resegment {
  return (pair, index, epoch) => turnTarget(resegment(turnTarget(pair), index, epoch));
}

/** A batch whose targets are turned, for a model that reads them so. */
export function batchBackwards({ indices, source, targetInput, targetOutput }: Batch): Batch {
  const { offsets } = targetInput;
  const turned = Array.from(indices, (_, i) => ({
    source: source.tokens.subarray(source.offsets[i], source.offsets[i + 1]),
    target: backwards(targetOutput.subarray(offsets[i], offsets[i + 1])),
  }));
  return packBatch([...indices], turned, EOS);
}
