import type { MarianArrays, MarianShape } from '../../../scripts/marian-model.js';

/**
 * Log-probabilities by the formulas of Marian's Transformer, over plain arrays in double precision: another program than
 * that which is tested, and nothing of it is shared.
 */

type Matrix = number[][];
const EPSILON = 1e-6;

export interface ReferenceOptions {
  activation?: 'swish' | 'relu';
  tied?: 'all' | 'decoder' | 'none';
}

/** @returns a row of log-probabilities over Marian's vocabulary for each token of the target */
export function marianLogProbs(
  arrays: MarianArrays,
  { width, heads, layers, vocabulary }: MarianShape,
  source: readonly number[],
  target: readonly number[],
  { activation = 'swish', tied = 'all' }: ReferenceOptions = {},
): Matrix {
  const matrix = (name: string): Matrix => {
    const { shape, data } = arrays.get(name)!;
    return Array.from({ length: shape[0] }, (_, i) =>
      Array.from(data.subarray(i * shape[1], (i + 1) * shape[1])),
    );
  };
  const affine = (x: Matrix, w: string, b: string): Matrix => {
    const [weight, [bias]] = [matrix(w), matrix(b)];
    return x.map((row) =>
      bias.map((start, j) => row.reduce((sum, value, i) => sum + value * weight[i][j], start)),
    );
  };
  const normed = (x: Matrix, prefix: string): Matrix => {
    const [[scale], [bias]] = [matrix(`${prefix}_ln_scale`), matrix(`${prefix}_ln_bias`)];
    return x.map((row) => {
      const mean = row.reduce((sum, value) => sum + value, 0) / row.length;
      const variance = row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / row.length;
      return row.map((value, i) => (scale[i] * (value - mean)) / Math.sqrt(variance + EPSILON) + bias[i]);
    });
  };
  const joined = (x: Matrix, branch: Matrix, prefix: string): Matrix =>
    normed(
      x.map((row, i) => row.map((value, j) => value + branch[i][j])),
      prefix,
    );
  const attention = (x: Matrix, memory: Matrix, prefix: string, causal: boolean): Matrix => {
    const [q, k, v] = [
      affine(x, `${prefix}_Wq`, `${prefix}_bq`),
      affine(memory, `${prefix}_Wk`, `${prefix}_bk`),
      affine(memory, `${prefix}_Wv`, `${prefix}_bv`),
    ];
    const size = width / heads;
    const mixed = q.map((query, i) => {
      const seen = causal ? i + 1 : k.length;
      return query.map((_, j) => {
        const first = Math.floor(j / size) * size;
        const scores = k.slice(0, seen).map((key) => {
          let sum = 0;
          for (let c = first; c < first + size; c++) sum += query[c] * key[c];
          return sum / Math.sqrt(size);
        });
        const probabilities = softmax(scores);
        return probabilities.reduce((sum, p, t) => sum + p * v[t][j], 0);
      });
    });
    return joined(x, affine(mixed, `${prefix}_Wo`, `${prefix}_bo`), `${prefix}_Wo`);
  };
  const feedForward = (x: Matrix, prefix: string): Matrix => {
    const inner = affine(x, `${prefix}_W1`, `${prefix}_b1`).map((row) =>
      row.map((value) => (activation === 'swish' ? value / (1 + Math.exp(-value)) : Math.max(0, value))),
    );
    return joined(x, affine(inner, `${prefix}_W2`, `${prefix}_b2`), `${prefix}_ffn`);
  };
  const embedded = (rows: Matrix): Matrix =>
    rows.map((row, position) =>
      row.map((value, j) => {
        const half = width / 2;
        const angle = position * Math.exp((-Math.log(10000) / (half - 1)) * (j % half));
        return Math.sqrt(width) * value + (j < half ? Math.sin(angle) : Math.cos(angle));
      }),
    );
  const tables = ['encoder', 'decoder'].map((stack) => matrix(tied === 'all' ? 'Wemb' : `${stack}_Wemb`));
  let memory = embedded(source.map((id) => tables[0][id]));
  for (let layer = 1; layer <= layers; layer++) {
    memory = attention(memory, memory, `encoder_l${layer}_self`, false);
    memory = feedForward(memory, `encoder_l${layer}_ffn`);
  }
  // Nothing comes before the first word.
  let hidden = embedded([
    new Array<number>(width).fill(0),
    ...target.slice(0, -1).map((id) => tables[1][id]),
  ]);
  for (let layer = 1; layer <= layers; layer++) {
    hidden = attention(hidden, hidden, `decoder_l${layer}_self`, true);
    hidden = attention(hidden, memory, `decoder_l${layer}_context`, false);
    hidden = feedForward(hidden, `decoder_l${layer}_ffn`);
  }
  const [bias] = matrix('decoder_ff_logit_out_b');
  const output = tied === 'none' ? matrix('decoder_ff_logit_out_W') : undefined;
  return hidden.map((row) => {
    const logits = Array.from({ length: vocabulary }, (_, id) =>
      row.reduce(
        (sum, value, j) => sum + value * (output === undefined ? tables[1][id][j] : output[j][id]),
        bias[id],
      ),
    );
    return softmax(logits).map(Math.log);
  });
}

function softmax(scores: readonly number[]): number[] {
  const most = Math.max(...scores);
  const powers = scores.map((score) => Math.exp(score - most));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}
