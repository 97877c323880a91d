import type { HeadRows } from '../ops/attention.js';
import { feedForward } from '../ops/feed-forward.js';
import { headProjections } from '../ops/head-projections.js';
import { linear } from '../ops/matmul.js';
import { tf } from '../ops/tf.js';
import type { Pass } from './pass.js';
import { layerPrefix, type Stack } from './scheme.js';

/** An attention branch: from the sublayer's input and the prefix of its parameters to f(x), [T, d] → [T, d]. */
export type AttentionBranch = (input: tf.Tensor2D, prefix: string) => tf.Tensor2D;

const PROJECTIONS = ['q', 'k', 'v'] as const;
type Projection = (typeof PROJECTIONS)[number];

/**
 * Neighbouring input projections of an attention: q, k and v, or fewer of them.
 *
 * @param prefix of the attention's parameters, with a dot at its end
 * @param x [T, d]
 */
export function project(
  pass: Pass,
  prefix: string,
  which: readonly Projection[],
  x: tf.Tensor2D,
): HeadRows[] {
  const bias = pass.vector(`${prefix}in_proj_bias`);
  const first = PROJECTIONS.indexOf(which[0]);
  if (pass.scheme.fusedProjections) {
    return headProjections(x, pass.matrix(`${prefix}in_proj_weight`), bias, first, which.length);
  }
  const d = pass.config.embedDim;
  return which.map((name, i) =>
    linear(x, pass.matrix(`${prefix}${name}_proj_weight`), tf.slice(bias, [(first + i) * d], [d])),
  );
}

/** The output projection of an attention. */
export function projectOut(pass: Pass, prefix: string, x: tf.Tensor2D): tf.Tensor2D {
  return linear(x, pass.matrix(`${prefix}out_proj.weight`), pass.vector(`${prefix}out_proj.bias`));
}

function feedForwardBranch(pass: Pass, prefix: string, x: tf.Tensor2D): tf.Tensor2D {
  const weights = {
    fc1Weight: pass.matrix(`${prefix}fc1.weight`),
    fc1Bias: pass.vector(`${prefix}fc1.bias`),
    fc2Weight: pass.matrix(`${prefix}fc2.weight`),
    fc2Bias: pass.vector(`${prefix}fc2.bias`),
  };
  const { activationFn, activationDropout } = pass.config;
  return feedForward(x, weights, {
    activation: activationFn,
    dropout: activationDropout,
    key: pass.nextMask(),
  });
}

/**
 * One layer of a stack: self-attention, in the decoder attention to the encoder, feed-forward.
 *
 * @param x [T, d]
 * @param attend the attention branches; `encoder` in the decoder alone
 */
export function layer(
  pass: Pass,
  stack: Stack,
  index: number,
  x: tf.Tensor2D,
  attend: { self: AttentionBranch; encoder?: AttentionBranch },
): tf.Tensor2D {
  const prefix = layerPrefix(stack, index);
  const { self, encoder } = attend;
  let hidden = pass.residual({ stack, layer: index, sublayer: 'self' }, x, (input) =>
    self(input, `${prefix}self_attn.`),
  );
  if (encoder !== undefined) {
    hidden = pass.residual({ stack, layer: index, sublayer: 'encoder' }, hidden, (input) =>
      encoder(input, `${prefix}encoder_attn.`),
    );
  }
  return pass.residual({ stack, layer: index, sublayer: 'fc' }, hidden, (input) =>
    feedForwardBranch(pass, prefix, input),
  );
}
