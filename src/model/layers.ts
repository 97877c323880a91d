import type { HeadRows } from '../ops/attention.js';
import { dropout } from '../ops/dropout.js';
import { activate, feedForward } from '../ops/feed-forward.js';
import { crossProjections, selfProjections } from '../ops/head-projections.js';
import { linear } from '../ops/matmul.js';
import { PreparedLinear } from '../ops/prepared-linear.js';
import { tf } from '../ops/tf.js';
import type { Pass } from './pass.js';
import { layerPrefix, type Stack } from './scheme.js';

/** An attention branch: from the sublayer's input and the prefix of its parameters to f(x), [T, d] → [T, d]. */
export type AttentionBranch = (input: tf.Tensor2D, prefix: string) => tf.Tensor2D;

/** A computation that goes from one hidden state to the next: the last one is its result. */
export type Steps = Generator<tf.Tensor2D, tf.Tensor2D, void>;

/** Goes through all steps at once. */
export function finish(steps: Steps): tf.Tensor2D {
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}

/** The same, where what a step has made, but for its result and what a gradient keeps, is released before the next one. */
export function finishReleasing(steps: Steps): tf.Tensor2D {
  let last: tf.Tensor2D | undefined;
  for (;;) {
    let ended = false;
    const value: tf.Tensor2D = tf.tidy(() => {
      const step = steps.next();
      ended = step.done === true;
      return step.value;
    });
    if (last !== value) last?.dispose();
    if (ended) return value;
    last = value;
  }
}

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
  const first = PROJECTIONS.indexOf(which[0]);
  const d = pass.config.embedDim;
  const biasOf = (from: number, count: number) =>
    tf.slice(pass.vector(`${prefix}in_proj_bias`), [from * d], [count * d]);
  if (pass.hasMap(prefix + which.join(''), `${prefix}in_proj_weight`)) {
    const weight = () => pass.matrix(`${prefix}in_proj_weight`);
    const together = pass.prepared?.get(prefix + which.join(''), () => {
      const rows = tf.slice(weight(), [first * d, 0], [which.length * d, d]);
      const part = biasOf(first, which.length);
      const made = PreparedLinear.of(rows, part, pass.precision);
      tf.dispose([rows, part]);
      return made;
    });
    if (together === undefined)
      return selfProjections(x, weight(), pass.vector(`${prefix}in_proj_bias`), pass.precision);
    const tensor = together.apply(x);
    return which.map((_, i) => ({ tensor, column: i * d }));
  }
  return which.map((name, i) => {
    const weight = () => pass.matrix(`${prefix}${name}_proj_weight`);
    const part = biasOf(first + i, 1);
    const map = pass.prepared?.get(prefix + name, () => PreparedLinear.of(weight(), part, pass.precision));
    return map?.apply(x) ?? linear(x, weight(), part, pass.precision);
  });
}

/**
 * The input projections of an attention to something else.
 *
 * @param queries [Tq, d]
 * @param keys what is attended to, [Tk, d]
 */
export function projectCross(
  pass: Pass,
  prefix: string,
  queries: tf.Tensor2D,
  keys: tf.Tensor2D,
): HeadRows[] {
  const name = `${prefix}in_proj_weight`;
  if (pass.prepared !== undefined || !pass.hasMap(name, name))
    return [...project(pass, prefix, ['q'], queries), ...project(pass, prefix, ['k', 'v'], keys)];
  return crossProjections(
    ...([queries, keys, pass.matrix(name), pass.vector(`${prefix}in_proj_bias`), pass.precision] as const),
  );
}

/** The output projection of an attention. */
export function projectOut(pass: Pass, prefix: string, x: tf.Tensor2D): tf.Tensor2D {
  return pass.linear(pass.innerNorm(x, `${prefix}inner_attn_ln`), `${prefix}out_proj`);
}

function feedForwardBranch(pass: Pass, prefix: string, x: tf.Tensor2D): tf.Tensor2D {
  const { activationFn, activationDropout } = pass.config;
  const norm = `${prefix}ffn_layernorm`;
  const inner = pass.preparedLinear(`${prefix}fc1`)?.apply(x, activationFn);
  if (inner !== undefined) return pass.linear(pass.innerNorm(inner, norm), `${prefix}fc2`);
  if (pass.hasInnerNorm(norm)) {
    const active = activate(pass.linear(x, `${prefix}fc1`), activationFn);
    return pass.linear(
      pass.innerNorm(dropout(active, activationDropout, pass.nextMask()), norm),
      `${prefix}fc2`,
    );
  }
  const weights = {
    fc1Weight: pass.matrix(`${prefix}fc1.weight`),
    fc1Bias: pass.vector(`${prefix}fc1.bias`),
    fc2Weight: pass.matrix(`${prefix}fc2.weight`),
    fc2Bias: pass.vector(`${prefix}fc2.bias`),
  };
  return feedForward(x, weights, {
    activation: activationFn,
    dropout: activationDropout,
    key: pass.nextMask(),
    precision: pass.precision,
  });
}

/**
 * One layer of a stack: self-attention, in the decoder attention to the encoder, feed-forward; each is yielded, so that
 * somebody may look at it before the next one is computed.
 *
 * @param x [T, d]
 * @param attend the attention branches; `encoder` in the decoder alone
 */
export function* layer(
  pass: Pass,
  stack: Stack,
  index: number,
  x: tf.Tensor2D,
  attend: { self: AttentionBranch; encoder?: AttentionBranch },
): Steps {
  const prefix = layerPrefix(stack, index);
  const { self, encoder } = attend;
  // Whoever looks at a sublayer releases what it was given.
  const layerInput = pass.scheme(stack).layerInput ? tf.keep(tf.clone(x)) : null;
  let hidden = pass.residual({ stack, layer: index, sublayer: 'self' }, x, (input) =>
    self(input, `${prefix}self_attn.`),
  );
  yield hidden;
  if (encoder !== undefined) {
    hidden = pass.residual({ stack, layer: index, sublayer: 'encoder' }, hidden, (input) =>
      encoder(input, `${prefix}encoder_attn.`),
    );
    yield hidden;
  }
  const branch = (input: tf.Tensor2D) => feedForwardBranch(pass, prefix, input);
  hidden = pass.residual({ stack, layer: index, sublayer: 'fc' }, hidden, branch, layerInput);
  layerInput?.dispose();
  yield hidden;
  return hidden;
}
