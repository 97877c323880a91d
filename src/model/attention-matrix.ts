/** What each target token of a sentence attends to; `</s>` is the last of either side. */
export interface AttentionMatrix {
  /** Target tokens. */
  readonly rows: number;
  /** Source tokens. */
  readonly columns: number;
  /** Row by row; each row sums to 1. */
  readonly weights: Float32Array;
}
