import type { KernelDropout, KernelName, Kernels } from '../../ops/kernels.js';
import type { tf } from '../../ops/tf.js';
import type { NativeBackend } from './backend.js';

/** What a fused kernel is called with. */
interface Call<N extends KernelName> {
  inputs: Partial<Record<Kernels[N]['inputs'], tf.TensorInfo>>;
  attributes: Kernels[N]['attributes'];
  backend: NativeBackend;
}

type Implementation<N extends KernelName> = (call: Call<N>) => tf.TensorInfo[];

const ACTIVATIONS = { relu: 0, gelu: 1 } as const;

function mask(dropout: KernelDropout): Float64Array | null {
  return dropout === null ? null : Float64Array.of(dropout.rate, dropout.seed, dropout.step, dropout.site);
}

/** Outputs of the given shapes; null where one is not wanted. */
function outputs(
  backend: NativeBackend,
  shapes: readonly (readonly number[] | null)[],
): { infos: tf.TensorInfo[]; memory: (Float32Array | null)[] } {
  const made = shapes.map((shape) => (shape === null ? null : backend.output([...shape])));
  return {
    infos: made.flatMap((output) => (output === null ? [] : [output.info])),
    memory: made.map((output) => output?.values ?? null),
  };
}

/** The memory of inputs by name; null for those that are absent. */
function memoryOf<K extends string>(
  backend: NativeBackend,
  inputs: Partial<Record<K, tf.TensorInfo>>,
): Record<K, Float32Array | null> {
  return new Proxy({} as Record<K, Float32Array | null>, {
    get: (_, name) => {
      const tensor = inputs[name as K];
      return tensor === undefined ? null : backend.floats(tensor);
    },
  });
}

const linearGradient =
  (withInput: boolean): Implementation<'LinearGradient'> =>
  ({ inputs, attributes, backend }) => {
    const { dy, x, weight } = memoryOf(backend, inputs);
    const [rows, width] = inputs.x!.shape;
    const [out] = inputs.weight!.shape;
    const { infos, memory } = outputs(backend, [
      withInput ? [rows, width] : null,
      [out, width],
      attributes.bias ? [out] : null,
    ]);
    const [dx, dWeight, dBias] = memory;
    backend.addon.linearGradient(dy, x, weight, dx, dWeight, dBias, rows, width, out);
    return infos;
  };

/** Memory, first column and row length of q, k and v. */
type Places = [
  ...[q: Float32Array, qColumn: number, qStride: number],
  ...[k: Float32Array, kColumn: number, kStride: number],
  ...[v: Float32Array, vColumn: number, vStride: number],
];

function placesOf(
  { q, k, v }: Kernels['Attention']['attributes'],
  inputs: Call<'Attention'>['inputs'],
  backend: NativeBackend,
): Places {
  return [q, k, v].flatMap(({ tensor, column }) => {
    const info = inputs[String(tensor) as '0' | '1' | '2']!;
    return [backend.floats(info), column, info.shape[1]];
  }) as Places;
}

export const IMPLEMENTATIONS: { readonly [N in KernelName]: Implementation<N> } = {
  Linear: ({ inputs, backend }) => {
    const { x, weight, bias } = memoryOf(backend, inputs);
    const [rows, width] = inputs.x!.shape;
    const [out] = inputs.weight!.shape;
    const y = backend.output([rows, out]);
    backend.addon.linear(x, weight, bias, y.values, rows, width, out);
    return [y.info];
  },

  LinearGradient: linearGradient(true),
  WeightGradient: linearGradient(false),

  PackWeight: ({ inputs, backend }) => {
    const [out, width] = inputs.weight!.shape;
    const packed = backend.output([backend.addon.packedWeightSize(width, out)]);
    backend.addon.packWeight(backend.floats(inputs.weight!), packed.values, width, out);
    return [packed.info];
  },

  PackedLinear: ({ inputs, attributes: { out, activation }, backend }) => {
    const { x, packed, bias } = memoryOf(backend, inputs);
    const [rows, width] = inputs.x!.shape;
    const y = backend.output([rows, out]);
    const code = activation === null ? 0 : 1 + ACTIVATIONS[activation];
    backend.addon.packedLinear(x, packed, bias, y.values, rows, width, out, code);
    return [y.info];
  },

  FeedForwardInner: ({ inputs, attributes: { activation, dropout }, backend }) => {
    const { x, weight, bias } = memoryOf(backend, inputs);
    const [rows, width] = inputs.x!.shape;
    const [inner] = inputs.weight!.shape;
    const shape = [rows, inner];
    const { infos, memory } = outputs(backend, [shape, activation === 'gelu' ? shape : null]);
    const [h, before] = memory;
    const code = ACTIVATIONS[activation];
    backend.addon.feedForwardInner(x, weight, bias, h, before, rows, width, inner, code, mask(dropout));
    return infos;
  },

  FeedForwardInnerGradient: ({ inputs, attributes: { activation, dropout }, backend }) => {
    const { dy, weight, kept } = memoryOf(backend, inputs);
    const [width, inner] = inputs.weight!.shape;
    const [rows] = inputs.dy!.shape;
    const out = backend.output([rows, inner]);
    const code = ACTIVATIONS[activation];
    backend.addon.feedForwardInnerGradient(
      ...([dy, weight, kept, out.values, rows, width, inner, code, mask(dropout)] as const),
    );
    return [out.info];
  },

  Residual: ({ inputs, attributes: { alpha, dropout }, backend }) => {
    const { x, f, omega, gate, gain, bias } = memoryOf(backend, inputs);
    const [rows, width] = inputs.x!.shape;
    const { infos, memory } = outputs(backend, [
      [rows, width],
      ...(gain === null ? [null, null] : [[rows, width], [rows]]),
    ]);
    const [y, normal, inverse] = memory;
    backend.addon.residual(
      ...([x, f, omega, gate, gain, bias, y, normal, inverse, rows, width, alpha, mask(dropout)] as const),
    );
    return infos;
  },

  ResidualGradient: ({ inputs, attributes: { alpha, dropout }, backend }) => {
    const { dy, x, f, omega, gate, gain, normal, inverse } = memoryOf(backend, inputs);
    const [rows, width] = inputs.dy!.shape;
    const vector = (there: Float32Array | null, size = width) => (there === null ? null : [size]);
    const { infos, memory } = outputs(backend, [
      ...[[rows, width], [rows, width], vector(omega), vector(gate, 1), vector(gain), vector(gain)],
    ]);
    const [dx, df, dOmega, dGate, dGain, dBias] = memory;
    // Where they are not wanted, x and f are not kept; the op then does not read them.
    backend.addon.residualGradient(
      ...([dy, x, f, omega, gate, gain, normal, inverse, dx, df, dOmega, dGate, dGain, dBias] as const),
      ...([rows, width, alpha, mask(dropout)] as const),
    );
    return infos;
  },

  LayerNorm: ({ inputs, backend }) => {
    const { x, gain, bias } = memoryOf(backend, inputs);
    const [rows, width] = inputs.x!.shape;
    const { infos, memory } = outputs(backend, [[rows, width], [rows, width], [rows]]);
    const [y, normal, inverse] = memory;
    backend.addon.layerNorm(x, gain, bias, y, normal, inverse, rows, width);
    return infos;
  },

  LayerNormGradient: ({ inputs, backend }) => {
    const { dy, normal, inverse, gain } = memoryOf(backend, inputs);
    const [rows, width] = inputs.dy!.shape;
    const { infos, memory } = outputs(backend, [[rows, width], [width], [width]]);
    const [dx, dGain, dBias] = memory;
    backend.addon.layerNormGradient(dy, normal, inverse, gain, dx, dGain, dBias, rows, width);
    return infos;
  },

  Attention: ({ inputs, attributes, backend }) => {
    const { q, width, heads: count, causal, queryOffsets, keyOffsets, dropout } = attributes;
    const rows = inputs[String(q.tensor) as '0']!.shape[0];
    const { infos, memory } = outputs(backend, [
      [rows, width],
      [rows, count],
    ]);
    backend.addon.attention(
      ...placesOf(attributes, inputs, backend),
      ...([queryOffsets, keyOffsets, memory[0], memory[1], count, width / count, causal] as const),
      mask(dropout),
    );
    return infos;
  },

  AttentionGradient: ({ inputs, attributes, backend }) => {
    const { q, k, v, width, heads: count, causal, queryOffsets, keyOffsets, dropout } = attributes;
    const { out, logPartition, dy } = memoryOf(backend, inputs);
    const tensors = (['0', '1', '2'] as const).flatMap((name) => inputs[name] ?? []);
    const { infos, memory } = outputs(
      backend,
      tensors.map(({ shape }) => shape),
    );
    const [dq, dk, dv] = [q, k, v].map(({ tensor }) => memory[tensor]);
    backend.addon.attentionGradient(
      ...placesOf(attributes, inputs, backend),
      ...([queryOffsets, keyOffsets, out, logPartition, dy, dq, dk, dv] as const),
      ...([count, width / count, causal, mask(dropout)] as const),
    );
    return infos;
  },

  Embedding: ({ inputs, attributes: { tokens, places, scale, dropout }, backend }) => {
    const { table, positions } = memoryOf(backend, inputs);
    const width = inputs.table!.shape[1];
    const y = backend.output([tokens.length, width]);
    backend.addon.embedding(tokens, table, places, positions, y.values, width, scale, mask(dropout));
    return [y.info];
  },

  EmbeddingGradient: ({ inputs, attributes: { indices, rows, scale, dropout }, backend }) => {
    const width = inputs.dy!.shape[1];
    const out = backend.output([rows, width]);
    const dy = backend.floats(inputs.dy!);
    backend.addon.embeddingGradient(indices, dy, out.values, width, scale, mask(dropout));
    return [out.info];
  },

  CrossEntropy: ({ inputs, attributes: { targets, epsilon, gradient }, backend }) => {
    const { hidden, weight } = memoryOf(backend, inputs);
    const [rows, width] = inputs.hidden!.shape;
    const [size] = inputs.weight!.shape;
    const { infos, memory } = outputs(backend, [
      [2],
      ...(gradient
        ? [
            [rows, width],
            [size, width],
          ]
        : [null, null]),
    ]);
    const [losses, dHidden, dWeight] = memory;
    backend.addon.crossEntropy(
      ...([hidden, weight, targets, losses, dHidden, dWeight, rows, width, size, epsilon] as const),
    );
    return infos;
  },

  Adam: ({ inputs, attributes: { beta1, beta2, step, epsilon, decay }, backend }) => {
    const { parameter, gradient, first, second, scale } = memoryOf(backend, inputs);
    backend.addon.adam(parameter, gradient, first, second, scale, beta1, beta2, step, epsilon, decay);
    return [];
  },

  MovingAverage: ({ inputs, attributes: { share }, backend }) => {
    const { average, parameter } = memoryOf(backend, inputs);
    backend.addon.movingAverage(average, parameter, share);
    return [];
  },

  GlobalNorm: ({ inputs, backend }) => {
    let sum = 0;
    for (const tensor of Object.values(inputs)) sum += backend.addon.sumOfSquares(backend.floats(tensor!));
    const norm = backend.output([]);
    norm.values[0] = Math.sqrt(sum);
    return [norm.info];
  },

  TopLogProbs: ({ inputs, attributes: { k, forbid }, backend }) => {
    const [rows, size] = inputs.logits!.shape;
    const ids = backend.outputInts([rows * k]);
    const logProbs = backend.output([rows * k]);
    const logits = backend.floats(inputs.logits!);
    backend.addon.topLogProbs(logits, forbid, ids.values, logProbs.values, rows, size, k);
    return [ids.info, logProbs.info];
  },

  LogPartitions: ({ inputs, backend }) => {
    const [rows, size] = inputs.logits!.shape;
    const out = backend.output([rows]);
    backend.addon.logPartitions(backend.floats(inputs.logits!), out.values, rows, size);
    return [out.info];
  },

  StoreRows: ({ inputs, attributes: { column, width, stored, first }, backend }) => {
    const [, stride] = inputs.rows!.shape;
    backend.addon.storeRows(backend.floats(inputs.rows!), column, stride, stored, first, width);
    return [];
  },

  CachedAttention: ({ inputs, attributes, backend }) => {
    const { heads: count, width, column, keys, values, places, offsets } = attributes;
    const [rows, stride] = inputs.queries!.shape;
    const out = backend.output([rows, width]);
    const queries = backend.floats(inputs.queries!);
    backend.addon.cachedAttention(
      ...([queries, column, stride, keys, values, places, offsets, out.values, width, count] as const),
    );
    return [out.info];
  },

  ScaleBy: ({ inputs, backend }) => {
    const { x, factor } = memoryOf(backend, inputs);
    const out = backend.output(inputs.x!.shape);
    backend.addon.scaleBy(x, factor, out.values);
    return [out.info];
  },

  Dropout: ({ inputs, attributes: { dropout }, backend }) => {
    const out = backend.output(inputs.x!.shape);
    backend.addon.dropout(backend.floats(inputs.x!), out.values, mask(dropout));
    return [out.info];
  },
};
