import type { Packed } from '../data/batch.js';
import { attention } from '../ops/attention.js';
import type { tf } from '../ops/tf.js';
import { embed, positionsOf } from './embeddings.js';
import { type AttentionBranch, layer, project, projectOut, type Steps } from './layers.js';
import type { Pass } from './pass.js';
import type { Stack } from './scheme.js';

/** The encoder, one sublayer after another. @returns its hidden states, [Ts, d] */
export function encoderSteps(pass: Pass, source: Packed): Steps {
  return steps(pass, 'encoder', source, { self: selfAttention(pass, source.offsets, false) });
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
  return steps(pass, 'decoder', targetInput, {
    self: selfAttention(pass, targetInput.offsets, true),
    encoder: (input, prefix) =>
      attend(pass, prefix, input, memory, targetInput.offsets, sourceOffsets, false),
  });
}

function* steps(
  pass: Pass,
  stack: Stack,
  { tokens, offsets }: Packed,
  branches: { self: AttentionBranch; encoder?: AttentionBranch },
): Steps {
  let hidden = embed(pass, stack, tokens, positionsOf(offsets));
  for (let index = 0; index < pass.config[stack].layers; index++) {
    hidden = yield* layer(pass, stack, index, hidden, branches);
  }
  return pass.scheme(stack).norm === 'pre' ? pass.layerNorm(hidden, `${stack}.layer_norm`) : hidden;
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
    : [...project(pass, prefix, ['q'], queries), ...project(pass, prefix, ['k', 'v'], keys)];
  const { attentionHeads: heads, attentionDropout: dropout, embedDim } = pass.config;
  const options = { heads, causal, dropout, key: pass.nextMask() };
  const mixed = attention(q, k, v, queryOffsets, keyOffsets, options, embedDim);
  return projectOut(pass, prefix, mixed);
}
