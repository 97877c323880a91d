/**
 * A packed batch: the tokens of all sentences one after another, without padding. Sentence i of a side is
 * `tokens[offsets[i] … offsets[i + 1])`.
 */
export interface Packed {
  /** Dictionary ids, [T]. */
  tokens: Int32Array;
  /** Where each sentence starts, and the end of the last: [B + 1]. */
  offsets: Int32Array;
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
