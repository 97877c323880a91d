import type { MarianArrays, MarianShape } from '../../../scripts/marian-model.js';
import {
  type Affine,
  type Matrix,
  type Norm,
  type PlainAttention,
  type PlainLayer,
  plainLogProbs,
} from './plain-transformer.js';

/** Log-probabilities by the formulas of Marian's Transformer, of arrays by its names. */

export interface ReferenceOptions {
  activation?: 'swish' | 'relu';
  tied?: 'all' | 'decoder' | 'none';
  /** Of layer normalisation. */
  epsilon?: number;
}

/** Marian's. */
const EPSILON = 1e-6;

/** @returns a row of log-probabilities over Marian's vocabulary for each token of the target */
export function marianLogProbs(
  arrays: MarianArrays,
  { width, heads, layers }: MarianShape,
  source: readonly number[],
  target: readonly number[],
  { activation = 'swish', tied = 'all', epsilon = EPSILON }: ReferenceOptions = {},
): Matrix {
  const matrix = (name: string): Matrix => {
    const { shape, data } = arrays.get(name)!;
    return Array.from({ length: shape[0] }, (_, i) =>
      Array.from(data.subarray(i * shape[1], (i + 1) * shape[1])),
    );
  };
  const affine = (weight: string, bias: string): Affine => ({
    weight: matrix(weight),
    bias: matrix(bias)[0],
  });
  const norm = (prefix: string): Norm => ({
    scale: matrix(`${prefix}_ln_scale`)[0],
    bias: matrix(`${prefix}_ln_bias`)[0],
  });
  const attention = (prefix: string): PlainAttention => ({
    q: affine(`${prefix}_Wq`, `${prefix}_bq`),
    k: affine(`${prefix}_Wk`, `${prefix}_bk`),
    v: affine(`${prefix}_Wv`, `${prefix}_bv`),
    o: affine(`${prefix}_Wo`, `${prefix}_bo`),
    norm: norm(`${prefix}_Wo`),
  });
  const stack = (name: 'encoder' | 'decoder'): PlainLayer[] =>
    Array.from({ length: layers }, (_, i) => {
      const prefix = `${name}_l${i + 1}`;
      return {
        self: attention(`${prefix}_self`),
        ...(name === 'decoder' && { context: attention(`${prefix}_context`) }),
        inner: affine(`${prefix}_ffn_W1`, `${prefix}_ffn_b1`),
        outer: affine(`${prefix}_ffn_W2`, `${prefix}_ffn_b2`),
        norm: norm(`${prefix}_ffn_ffn`),
      };
    });
  const embedded = (rows: Matrix): Matrix =>
    rows.map((row, position) =>
      row.map((value, j) => {
        const half = width / 2;
        const angle = position * Math.exp((-Math.log(10000) / (half - 1)) * (j % half));
        return Math.sqrt(width) * value + (j < half ? Math.sin(angle) : Math.cos(angle));
      }),
    );
  const tables = ['encoder', 'decoder'].map((side) => matrix(tied === 'all' ? 'Wemb' : `${side}_Wemb`));
  // Nothing comes before the first word.
  const before = new Array<number>(width).fill(0);
  return plainLogProbs(
    {
      heads,
      epsilon,
      activation: activation === 'swish' ? (x) => x / (1 + Math.exp(-x)) : (x) => Math.max(0, x),
      encoder: stack('encoder'),
      decoder: stack('decoder'),
      output: tied === 'none' ? turned(matrix('decoder_ff_logit_out_W')) : tables[1],
      outputBias: matrix('decoder_ff_logit_out_b')[0],
    },
    embedded(source.map((id) => tables[0][id])),
    embedded([before, ...target.slice(0, -1).map((id) => tables[1][id])]),
  );
}

const turned = (matrix: Matrix): Matrix => matrix[0].map((_, j) => matrix.map((row) => row[j]));
