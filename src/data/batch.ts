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

/** Tokens of a batch that go together, one of each for every link. */
export interface TokenLinks {
  /** Rows of the target. */
  rows: Int32Array;
  /** Places in the source sentence of the same pair, from 0. */
  columns: Int32Array;
  /** 1 / links of the target token. */
  weights: Float32Array;
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
  /** Alignments, where pairs have them. */
  links?: TokenLinks;
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
  pairs: readonly { source: Int32Array; target: Int32Array; links?: Int32Array }[],
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
    ...(pairs.some(({ links }) => links !== undefined) && { links: packLinks(pairs, target.offsets) }),
  };
}

/** The links of pairs, which have source and target place in turn. */
function packLinks(pairs: readonly { links?: Int32Array }[], targetOffsets: Int32Array): TokenLinks {
  const [rows, columns]: [number[], number[]] = [[], []];
  const counts = new Map<number, number>();
  pairs.forEach(({ links = [] }, pair) => {
    for (let i = 0; i < links.length; i += 2) {
      const row = targetOffsets[pair] + links[i + 1];
      columns.push(links[i]);
      rows.push(row);
      counts.set(row, (counts.get(row) ?? 0) + 1);
    }
  });
  return {
    rows: Int32Array.from(rows),
    columns: Int32Array.from(columns),
    weights: Float32Array.from(rows, (row) => 1 / counts.get(row)!),
  };
}
