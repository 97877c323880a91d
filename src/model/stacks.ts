import type { Packed } from '../data/batch.js';
import { type AttentionOptions, attention, columnsOf, type HeadRows } from '../ops/attention.js';
import { recomputedChain } from '../ops/recompute.js';
import { tf } from '../ops/tf.js';
import { embed, positionsOf } from './embeddings.js';
import {
  type AttentionBranch,
  finishReleasing,
  layer,
  project,
  projectCross,
  projectOut,
  type Steps,
} from './layers.js';
import { embeddingName } from './parameters.js';
import type { Pass } from './pass.js';
import type { Stack } from './scheme.js';

/**
 * The encoder, one sublayer after another, or all layers at once where they are to be computed again.
 *
 * @returns its hidden states, [Ts, d]
 */
export function encoderSteps(pass: Pass, source: Packed): Steps {
  return steps(pass, 'encoder', source, (index, x) =>
    layer(pass, 'encoder', index, x, { self: selfAttention(pass, source, false) }),
  );
}

/**
 * The decoder over whole sentences, one sublayer after another.
 *
 * @param memory hidden states of the encoder, [Ts, d]
 * @returns its hidden states, [Tt, d]
 */
export function decoderSteps(
  pass: Pass,
  targetInput: Packed,
  memory: tf.Tensor2D,
  sourceOffsets: Int32Array,
): Steps {
  const layerOf: LayerOf = (index, x, read) =>
    layer(pass, 'decoder', index, x, {
      self: selfAttention(pass, targetInput, true),
      encoder: (input, prefix) =>
        attend(pass, prefix, input, read!, targetInput, sourceOffsets, false, (q, k) =>
          pass.attentionWatch?.(index, q, k),
        ),
    });
  return steps(pass, 'decoder', targetInput, layerOf, memory);
}

/** The steps of a layer. @param memory hidden states of the encoder, in the decoder */
type LayerOf = (index: number, x: tf.Tensor2D, memory: tf.Tensor2D | null) => Steps;

function* steps(
  pass: Pass,
  stack: Stack,
  side: Packed,
  layerOf: LayerOf,
  memory: tf.Tensor2D | null = null,
): Steps {
  let hidden = embed(pass, stack, side.tokens, positionsOf(side));
  if (pass.recomputes) hidden = recomputedLayers(pass, stack, hidden, layerOf, memory);
  else {
    for (let index = 0; index < pass.config[stack].layers; index++)
      hidden = yield* layerOf(index, hidden, memory);
  }
  return pass.scheme(stack).norm === 'pre' ? pass.layerNorm(hidden, `${stack}.layer_norm`) : hidden;
}

/** All layers, of which only what each begins with is kept for the backward pass. */
function recomputedLayers(
  pass: Pass,
  stack: Stack,
  embedded: tf.Tensor2D,
  layerOf: LayerOf,
  memory: tf.Tensor2D | null,
): tf.Tensor2D {
  const links = pass.trainedByLayer(stack).map((weights, index) => ({
    weights,
    compute: pass.repeatable((x: tf.Tensor2D, read: tf.Tensor2D | null) =>
      finishReleasing(layerOf(index, x, read)),
    ),
  }));
  const tables = [embeddingName(pass.config, stack), `${stack}.embed_positions.weight`];
  const x = { tensor: embedded, trained: tables.some((name) => pass.trains(name)) };
  return recomputedChain(x, memory && { tensor: memory, trained: pass.trains('encoder.') }, links);
}

function selfAttention(pass: Pass, side: Packed, causal: boolean): AttentionBranch {
  return (input, prefix) => attend(pass, prefix, input, input, side, side.offsets, causal);
}

function attend(
  pass: Pass,
  prefix: string,
  queries: tf.Tensor2D,
  keys: tf.Tensor2D,
  { offsets, padding }: Packed,
  keyOffsets: Int32Array,
  causal: boolean,
  watch?: (q: HeadRows, k: HeadRows) => void,
): tf.Tensor2D {
  const own = queries === keys;
  const [q, k, v] = own
    ? project(pass, prefix, ['q', 'k', 'v'], queries)
    : projectCross(pass, prefix, queries, keys);
  watch?.(q, k);
  const { attentionHeads: heads, attentionDropout: dropout, embedDim } = pass.config;
  const options = { heads, causal, dropout, key: pass.nextMask() };
  const mixed =
    padding === undefined
      ? attention(q, k, v, offsets, keyOffsets, options, embedDim)
      : paddedAttention([q, k, v], { offsets, padding }, keyOffsets, options, embedDim);
  return projectOut(pass, prefix, mixed);
}

/** Masks of padding are numbered apart, so that those of the tokens are what they are without it. */
const PADDING_MASKS = 1 << 20;

/**
 * The same with padding after the tokens, as masked keys make it: no query sees padding, and padding, which stands at
 * the end of its sentence, sees all of that.
 */
function paddedAttention(
  [q, k, v]: HeadRows[],
  { offsets, padding }: Required<Omit<Packed, 'tokens'>>,
  keyOffsets: Int32Array,
  options: AttentionOptions,
  width: number,
): tf.Tensor2D {
  const [count, keyCount] = [offsets, keyOffsets].map((ends) => ends[ends.length - 1]);
  const rows = (of: HeadRows, start: number, size: number): tf.Tensor2D =>
    tf.slice(columnsOf(of, width), [start, 0], [size, width]);
  const [keys, values] = [rows(k, 0, keyCount), rows(v, 0, keyCount)];
  const mixed = attention(rows(q, 0, count), keys, values, offsets, keyOffsets, options, width);
  const more = padding[padding.length - 1];
  if (more === 0) return mixed;
  const { key } = options;
  const apart = { ...options, causal: false, key: key && { ...key, site: key.site + PADDING_MASKS } };
  const ofPadding = attention(rows(q, count, more), keys, values, padding, keyOffsets, apart, width);
  return tf.concat([mixed, ofPadding]);
}
