import type { Precision } from '../../common/precision.js';
import { Purpose, RandomStream } from '../../common/rng.js';
import { pack } from '../../data/batch.js';
import { attention, type HeadRows } from '../../ops/attention.js';
import { KeyValueStore, seenBy } from '../../ops/cached-attention.js';
import { smoothedCrossEntropy } from '../../ops/cross-entropy.js';
import { dropout } from '../../ops/dropout.js';
import { placedEmbedding } from '../../ops/embedding.js';
import { feedForward } from '../../ops/feed-forward.js';
import { layerNorm } from '../../ops/layer-norm.js';
import { linear } from '../../ops/matmul.js';
import { pickColumns } from '../../ops/pick-columns.js';
import { PreparedLinear } from '../../ops/prepared-linear.js';
import { readAndDispose } from '../../ops/reading.js';
import { residual } from '../../ops/residual.js';
import { tf } from '../../ops/tf.js';
import { topLogProbs } from '../../ops/top-log-probs.js';

/** Numbers that a case comes to on the current backend, by what they are. */
export type Results = Record<string, ArrayLike<number>>;

/** What is computed on two backends and compared. */
export interface Case {
  what: string;
  compute: () => Promise<Results>;
}

const KEY = { seed: 2 ** 32 + 3, step: 7, site: 2 };

const normals = (size: number, seed: number): Float32Array => {
  const stream = new RandomStream({ seed, step: 0, purpose: Purpose.test });
  return Float32Array.from({ length: size }, () => stream.nextNormal());
};
const matrix = (rows: number, columns: number, seed: number): tf.Tensor2D =>
  tf.tensor2d(normals(rows * columns, seed), [rows, columns]);
const vector = (size: number, seed: number): tf.Tensor1D => tf.tensor1d(normals(size, seed));
const integers = (size: number, below: number, seed: number): Int32Array => {
  const stream = new RandomStream({ seed, step: 0, purpose: Purpose.test });
  return Int32Array.from({ length: size }, () => stream.nextBelow(below));
};
const offsetsOf = (lengths: readonly number[]): Int32Array =>
  pack(lengths.map((length) => new Int32Array(length))).offsets;

/** Reads tensors, which are then gone. */
async function valuesOf(tensors: Record<string, tf.Tensor>): Promise<Results> {
  const results: Results = {};
  for (const [name, tensor] of Object.entries(tensors)) results[name] = await readAndDispose(tensor);
  return results;
}

/** What an op gives, and its gradients by all inputs, for a gradient of its value that is different everywhere. */
function differentiated(
  what: string,
  inputsOf: () => tf.Tensor[],
  op: (...inputs: tf.Tensor[]) => tf.Tensor,
): Case {
  const compute = async (): Promise<Results> => {
    const inputs = inputsOf();
    const { value, grads } = tf.tidy(() => {
      const shape = tf.tidy(() => op(...inputs).shape);
      const dy = tf.tensor(normals(tf.util.sizeFromShape(shape), 99), shape);
      return tf.valueAndGrads((...given: tf.Tensor[]) => op(...given))(inputs, dy);
    });
    tf.dispose(inputs);
    return valuesOf({ value, ...Object.fromEntries(grads.map((grad, i) => [`gradient ${i}`, grad])) });
  };
  return { what, compute };
}

type T2 = tf.Tensor2D;
type T1 = tf.Tensor1D;

/** Rows, columns and depth of products of few tiles, of many and of the widest, none of them whole, and of a long sum. */
const PRODUCTS = [
  [17, 33, 5],
  [260, 259, 67],
  [1030, 50, 33],
  [1500, 1410, 7],
] as const;

/** Products in a precision, with their gradients. */
export const productsIn = (precision: Precision): Case[] =>
  PRODUCTS.map(([m, n, k]) =>
    differentiated(
      `product ${m} × ${n} over ${k}`,
      () => [matrix(m, k, 1), matrix(n, k, 2), vector(n, 3)],
      (x, weight, bias) => linear(x as T2, weight as T2, bias as T1, precision),
    ),
  );
export const PRODUCT_CASES: readonly Case[] = productsIn('float32');

const LENGTHS = [1, 31, 33, 70];
/** Width and heads of attention. */
const [WIDTH, HEADS] = [36, 3];

/** The ops of training: values and gradients on shapes that straddle tiles. */
export const TRAINING_CASES: readonly Case[] = [
  ...PRODUCT_CASES,
  ...(['relu', 'gelu'] as const).map((activation) =>
    differentiated(
      `feed-forward, ${activation}`,
      () => [matrix(71, 36, 1), matrix(130, 36, 2), vector(130, 3), matrix(36, 130, 4), vector(36, 5)],
      (x, fc1Weight, fc1Bias, fc2Weight, fc2Bias) =>
        feedForward(x as T2, { fc1Weight, fc1Bias, fc2Weight, fc2Bias } as never, {
          ...{ activation, dropout: 0.3, key: KEY },
        }),
    ),
  ),
  differentiated(
    'residual with ω and norm',
    () => [matrix(71, 300, 1), matrix(71, 300, 2), vector(300, 3), vector(300, 4), vector(300, 5)],
    (x, f, omega, gain, bias) =>
      residual(x as T2, f as T2, {
        ...{ dropout: 0.3, key: KEY, alpha: 1, omega: omega as T1, gate: null },
        norm: { gain: gain as T1, bias: bias as T1 },
      }),
  ),
  differentiated(
    'residual with gate',
    () => [matrix(71, 300, 1), matrix(71, 300, 2), vector(1, 3)],
    (x, f, gate) =>
      residual(x as T2, f as T2, {
        ...{ dropout: 0.3, key: KEY, alpha: 0.7, omega: null, gate: gate as T1, norm: null },
      }),
  ),
  differentiated(
    'layer norm',
    () => [matrix(71, 300, 1), vector(300, 2), vector(300, 3)],
    (x, gain, bias) => layerNorm(x as T2, gain as T1, bias as T1),
  ),
  ...[true, false].map((causal) =>
    differentiated(
      `attention, ${causal ? 'causal' : 'to another sentence'}`,
      () => attentionInputs(causal),
      (...inputs) => attentionOf(inputs as T2[], causal),
    ),
  ),
  differentiated(
    'embedding',
    () => [matrix(97, 36, 1), matrix(40, 36, 2)],
    (table, positions) =>
      placedEmbedding(integers(530, 97, 3), table as T2, {
        ...{ scale: 6, positions: positions as T2, places: integers(530, 40, 4), dropout: 0.1, key: KEY },
      }),
  ),
  differentiated(
    'dropout',
    () => [matrix(71, 36, 1)],
    (x) => dropout(x, 0.3, KEY),
  ),
  differentiated(
    'loss',
    () => [matrix(530, 36, 1), matrix(211, 36, 2)],
    (hidden, weight) => smoothedCrossEntropy(hidden as T2, weight as T2, integers(530, 211, 3), 0.1).loss,
  ),
];

const sum = (lengths: readonly number[]): number => lengths.reduce((total, length) => total + length, 0);
const KEY_LENGTHS = [...LENGTHS].reverse();

/** One tensor of all three where a sentence attends to itself, else the queries, and keys beside values. */
function attentionInputs(causal: boolean): tf.Tensor[] {
  const rows = sum(LENGTHS);
  return causal ? [matrix(rows, 3 * WIDTH, 1)] : [matrix(rows, WIDTH, 1), matrix(rows, 2 * WIDTH, 2)];
}

function attentionOf([first, second]: T2[], causal: boolean): T2 {
  const part = (tensor: T2, place: number): HeadRows => ({ tensor, column: place * WIDTH });
  const [q, k, v] = causal
    ? [part(first, 0), part(first, 1), part(first, 2)]
    : [first, part(second, 0), part(second, 1)];
  const [queries, keys] = [offsetsOf(LENGTHS), offsetsOf(causal ? LENGTHS : KEY_LENGTHS)];
  return attention(q, k, v, queries, keys, { heads: HEADS, causal, dropout: 0.2, key: KEY }, WIDTH);
}

/** The ops of translation. */
export const DECODING_CASES: readonly Case[] = [
  ...([null, 'relu', 'gelu'] as const).map((activation) => ({
    what: `prepared product${activation === null ? '' : `, ${activation}`}`,
    compute: async () => {
      const [weight, bias] = [matrix(130, 67, 1), vector(130, 2)];
      const prepared = PreparedLinear.of(weight, bias);
      const value = tf.tidy(() => prepared.apply(matrix(19, 67, 3), activation));
      prepared.dispose();
      tf.dispose([weight, bias]);
      return valuesOf({ value });
    },
  })),
  {
    what: 'attention to stored keys',
    compute: async () => {
      const store = new KeyValueStore(WIDTH);
      const found = tf.tidy(() => {
        store.put(0, matrix(70, WIDTH, 1), matrix(70, WIDTH, 2));
        store.compact(Int32Array.from({ length: 50 }, (_, i) => i + Math.floor(i / 3)));
        store.put(50, { tensor: matrix(40, 2 * WIDTH, 3), column: WIDTH }, matrix(40, WIDTH, 4));
        const lists = [1, 33, 90].map((length) => integers(length, 90, length));
        return store.attend(matrix(3, WIDTH, 5), seenBy(lists), HEADS);
      });
      store.dispose();
      return valuesOf({ value: found });
    },
  },
  {
    what: 'best continuations',
    compute: async () => {
      const logits = matrix(7, 611, 1);
      const { ids, logProbs, ofAsked } = await topLogProbs(logits, 9, [0, 3], 2);
      logits.dispose();
      return { ids, logProbs, ofAsked };
    },
  },
  {
    what: 'columns of a shortlist',
    compute: async () => {
      const lists = { columns: integers(12, 30, 2), offsets: Int32Array.of(0, 5, 12) };
      return valuesOf({
        value: tf.tidy(() => pickColumns(matrix(4, 30, 1), lists, Int32Array.of(0, 1, 1, 0), 7)),
      });
    },
  },
];

/** What must not be hidden: NaN and infinities of the inputs, in what each op gives. */
export const NON_FINITE_CASES: readonly Case[] = [
  ...([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY] as const).map((strange) => ({
    what: `${strange} kept`,
    compute: async () => {
      const x = matrix(19, 36, 1);
      const values = (await readAndDispose(x)).slice();
      values[40] = strange;
      const inputs = (): T2 => tf.tensor2d(values, [19, 36]);
      return valuesOf(tf.tidy(() => strangeResults(inputs())) as Record<string, tf.Tensor>);
    },
  })),
];

/** Each element told by its kind alone: a number, NaN, or an infinity of either sign. */
function strangeResults(x: T2): tf.NamedTensorMap {
  const weights = { fc1Weight: matrix(20, 36, 2), fc1Bias: vector(20, 3) };
  const more = { fc2Weight: matrix(36, 20, 4), fc2Bias: vector(36, 5) };
  const options = { dropout: 0, key: null, alpha: 1, omega: null, gate: null };
  const heads = { heads: 3, causal: false, dropout: 0, key: null };
  const offsets = offsetsOf([9, 10]);
  return {
    product: linear(x, matrix(20, 36, 6), null),
    'feed-forward': feedForward(x, { ...weights, ...more }, { activation: 'relu', dropout: 0, key: null }),
    residual: residual(x, matrix(19, 36, 7), { ...options, norm: null }),
    norm: layerNorm(x, vector(36, 8), vector(36, 9)),
    attention: attention(x, matrix(19, 36, 10), matrix(19, 36, 11), offsets, offsets, heads),
    loss: smoothedCrossEntropy(x, matrix(50, 36, 12), integers(19, 50, 13), 0.1).loss,
  };
}
