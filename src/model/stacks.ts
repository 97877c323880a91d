import type { Packed } from '../data/batch.js';
import { attention } from '../ops/attention.js';
import { recomputedChain } from '../ops/recompute.js';
import type { tf } from '../ops/tf.js';
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
    layer(pass, 'encoder', index, x, { self: selfAttention(pass, source.offsets, false) }),
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
      self: selfAttention(pass, targetInput.offsets, true),
      encoder: (input, prefix) =>
        attend(pass, prefix, input, read!, targetInput.offsets, sourceOffsets, false),
    });
  return steps(pass, 'decoder', targetInput, layerOf, memory);
}

/** The steps of a layer. @param memory hidden states of the encoder, in the decoder */
type LayerOf = (index: number, x: tf.Tensor2D, memory: tf.Tensor2D | null) => Steps;

function* steps(
  pass: Pass,
  stack: Stack,
  { tokens, offsets }: Packed,
  layerOf: LayerOf,
  memory: tf.Tensor2D | null = null,
): Steps {
  let hidden = embed(pass, stack, tokens, positionsOf(offsets));
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

function selfAttention(pass: Pass, offsets: Int32Array, causal: boolean): AttentionBranch {
  return (input, prefix) => attend(pass, prefix, input, input, offsets, offsets, causal);
}

function attend(
  pass: Pass,
  prefix: string,
  queries: tf.Tensor2D,
  keys: tf.Tensor2D,
  queryOffsets: Int32Array,
  keyOffsets: Int32Array,
  causal: boolean,
): tf.Tensor2D {
  const own = queries === keys;
  const [q, k, v] = own
    ? project(pass, prefix, ['q', 'k', 'v'], queries)
    : projectCross(pass, prefix, queries, keys);
  const { attentionHeads: heads, attentionDropout: dropout, embedDim } = pass.config;
  const options = { heads, causal, dropout, key: pass.nextMask() };
  const mixed = attention(q, k, v, queryOffsets, keyOffsets, options, embedDim);
  return projectOut(pass, prefix, mixed);
}
