/** What each target token of a sentence attends to; `</s>` is the last of either side. */
export interface AttentionMatrix {
  /** Target tokens. */
  readonly rows: number;
  /** Source tokens. */
  readonly columns: number;
  /** Row by row; each row sums to 1. */
  readonly weights: Float32Array;
}

/** Which attention of the decoder to the encoder. */
export interface AttentionChoice {
  /** From 0. */
  layer: number;
  /** From 0; null is the mean of all. */
  head: number | null;
}
