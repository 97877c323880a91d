/**
 * A packed batch: the tokens of all sentences one after another, without padding. Sentence i of a side is
 * `tokens[offsets[i] … offsets[i + 1])`.
 */
export interface Packed {
  /** Dictionary ids, [T]. */
  tokens: Int32Array;
  /** Where each sentence starts, and the end of the last: [B + 1]. */
  offsets: Int32Array;
  /**
   * Only where padding is to be looked at, see `withPadding`: the tokens of all sentences are followed by their padding,
   * that of sentence i at `tokens[T + padding[i] … T + padding[i + 1])`; [B + 1].
   */
  padding?: Int32Array;
}

export interface Batch {
  /** Index of each pair in the dataset, [B]. */
  indices: Int32Array;
  /** Source sentences, each ending in `</s>`. */
  source: Packed;
  /** Decoder input: `</s>` followed by the target without its `</s>` (fairseq's `prev_output_tokens`). */
  targetInput: Packed;
  /** What is predicted, aligned with targetInput: the target, each sentence ending in `</s>`; [T]. */
  targetOutput: Int32Array;
}

/** A batch with the padding that fairseq gives it: each side up to its longest sentence. @param pad id of `<pad>` */
export function withPadding(batch: Batch, pad: number): Batch {
  const padded = ({ tokens, offsets }: Packed): Packed => {
    const lengths = offsets.subarray(1).map((end, i) => end - offsets[i]);
    const longest = lengths.reduce((most, length) => Math.max(most, length), 0);
    const padding = new Int32Array(offsets.length);
    lengths.forEach((length, i) => {
      padding[i + 1] = padding[i] + longest - length;
    });
    const all = new Int32Array(tokens.length + padding[lengths.length]).fill(pad);
    all.set(tokens);
    return { tokens: all, offsets, padding };
  };
  return { ...batch, source: padded(batch.source), targetInput: padded(batch.targetInput) };
}

/** Sentences one after another. */
export function pack(sentences: readonly ArrayLike<number>[]): Packed {
  const offsets = new Int32Array(sentences.length + 1);
  sentences.forEach((sentence, i) => {
    offsets[i + 1] = offsets[i] + sentence.length;
  });
  const tokens = new Int32Array(offsets[sentences.length]);
  sentences.forEach((sentence, i) => {
    tokens.set(sentence, offsets[i]);
  });
  return { tokens, offsets };
}

/**
 * Makes a batch of pairs whose sides both end in `</s>`.
 *
 * @param eos id of `</s>`
 */
export function packBatch(
  indices: readonly number[],
  pairs: readonly { source: Int32Array; target: Int32Array }[],
  eos: number,
): Batch {
  const target = pack(pairs.map((pair) => pair.target));
  const input = new Int32Array(target.tokens.length);
  for (let i = 0; i < pairs.length; i++) {
    const [start, end] = [target.offsets[i], target.offsets[i + 1]];
    input[start] = eos;
    input.set(target.tokens.subarray(start, end - 1), start + 1);
  }
  return {
    indices: Int32Array.from(indices),
    source: pack(pairs.map((pair) => pair.source)),
    targetInput: { tokens: input, offsets: target.offsets },
    targetOutput: target.tokens,
  };
}
