/**
 * The Transformer with Post-LN over plain arrays in double precision: another program than that which is tested, and
 * nothing of it is shared.
 */

export type Matrix = number[][];

/** An affine map, x·W + b. */
export interface Affine {
  /** [in][out] */
  weight: Matrix;
  bias: readonly number[];
}

export interface Norm {
  scale: readonly number[];
  bias: readonly number[];
}

export interface PlainAttention extends Record<'q' | 'k' | 'v' | 'o', Affine> {
  norm: Norm;
}

/** One layer; `context` is what the decoder attends to the encoder with. */
export interface PlainLayer {
  self: PlainAttention;
  context?: PlainAttention;
  inner: Affine;
  outer: Affine;
  norm: Norm;
}

export interface PlainTransformer {
  heads: number;
  epsilon: number;
  activation: (value: number) => number;
  encoder: readonly PlainLayer[];
  decoder: readonly PlainLayer[];
  /** [V][d] */
  output: Matrix;
  outputBias: readonly number[];
}

/**
 * @param source embeddings with positions, [length][d]
 * @param target the same, of what the decoder reads
 * @returns a row of log-probabilities for each row of the target
 */
export function plainLogProbs(model: PlainTransformer, source: Matrix, target: Matrix): Matrix {
  let memory = source;
  for (const layer of model.encoder) memory = layered(model, layer, memory, false);
  let hidden = target;
  for (const layer of model.decoder) hidden = layered(model, layer, hidden, true, memory);
  return hidden.map((row) => {
    const logits = model.output.map((column, id) => dot(row, column) + model.outputBias[id]);
    return softmax(logits).map(Math.log);
  });
}

function layered(
  model: PlainTransformer,
  layer: PlainLayer,
  x: Matrix,
  causal: boolean,
  memory?: Matrix,
): Matrix {
  let hidden = attention(model, layer.self, x, x, causal);
  if (memory !== undefined) hidden = attention(model, layer.context!, hidden, memory, false);
  const inner = affine(hidden, layer.inner).map((row) => row.map(model.activation));
  return joined(model, hidden, affine(inner, layer.outer), layer.norm);
}

function attention(
  model: PlainTransformer,
  { q, k, v, o, norm }: PlainAttention,
  x: Matrix,
  memory: Matrix,
  causal: boolean,
): Matrix {
  const [queries, keys, values] = [affine(x, q), affine(memory, k), affine(memory, v)];
  const size = x[0].length / model.heads;
  const mixed = queries.map((query, i) => {
    const seen = causal ? i + 1 : keys.length;
    return query.map((_, j) => {
      const first = Math.floor(j / size) * size;
      const part = (row: readonly number[]): number[] => row.slice(first, first + size);
      const scores = keys.slice(0, seen).map((key) => dot(part(query), part(key)) / Math.sqrt(size));
      return softmax(scores).reduce((sum, share, t) => sum + share * values[t][j], 0);
    });
  });
  return joined(model, x, affine(mixed, o), norm);
}

/** LN(x + f(x)) */
function joined({ epsilon }: PlainTransformer, x: Matrix, branch: Matrix, { scale, bias }: Norm): Matrix {
  return x.map((values, i) => {
    const row = values.map((value, j) => value + branch[i][j]);
    const mean = row.reduce((sum, value) => sum + value, 0) / row.length;
    const variance = row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / row.length;
    return row.map((value, j) => (scale[j] * (value - mean)) / Math.sqrt(variance + epsilon) + bias[j]);
  });
}

function affine(x: Matrix, { weight, bias }: Affine): Matrix {
  return x.map((row) =>
    bias.map((start, j) => row.reduce((sum, value, i) => sum + value * weight[i][j], start)),
  );
}

const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, value, i) => sum + value * b[i], 0);

function softmax(scores: readonly number[]): number[] {
  const most = Math.max(...scores);
  const powers = scores.map((score) => Math.exp(score - most));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}
