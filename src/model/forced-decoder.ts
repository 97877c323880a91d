import type { Precision } from '../common/precision.js';
import type { Batch } from '../data/batch.js';
import { attentionWeights } from '../ops/attention-weights.js';
import { PreparedLinear } from '../ops/prepared-linear.js';
import { readAndDispose } from '../ops/reading.js';
import { targetLogProbs } from '../ops/target-log-probs.js';
import { tf } from '../ops/tf.js';
import type { AttentionChoice, AttentionMatrix } from './attention-matrix.js';
import type { DecodingModel } from './incremental.js';
import { finishReleasing, type Steps } from './layers.js';
import { OUTPUT_BIAS, outputName } from './parameters.js';
import { type AttentionWatch, type Mode, Pass, type PreparedLinears } from './pass.js';
import { decoderSteps, encoderSteps } from './stacks.js';

/** Most logits at a time: a vocabulary of 32 000 pieces and a batch of 4096 tokens have thirty times as many. */
const LOGITS = 1 << 22;

/**
 * The model over translations that are given: the forward pass of training without dropout, all tokens of a batch at
 * once, with the linear maps of decoding, so that its log-probabilities are those of a search.
 */
export class ForcedDecoder {
  private readonly model: DecodingModel;
  private readonly precision: Precision;
  private readonly prepared: PreparedLinears;

  /** @param prepared linear maps, which others may use as well: whoever made them disposes of them */
  constructor(model: DecodingModel, precision: Precision, prepared: PreparedLinears) {
    this.model = model;
    this.precision = precision;
    this.prepared = prepared;
  }

  /** Natural log-probabilities of the target tokens of a batch, in their order: [T]. */
  async logProbs({ source, targetInput, targetOutput }: Batch): Promise<Float32Array> {
    const hidden = tf.tidy(() => {
      const pass = this.pass();
      const memory = finishReleasing(encoderSteps(pass, source));
      return finishReleasing(decoderSteps(pass, targetInput, memory, source.offsets));
    });
    const logProbs = new Float32Array(targetOutput.length);
    const rows = Math.max(1, Math.floor(LOGITS / this.model.vocabulary.target));
    for (let from = 0; from < targetOutput.length; from += rows) {
      const targets = targetOutput.subarray(from, from + rows);
      const logits = tf.tidy(() => this.output().apply(tf.slice(hidden, [from, 0], [targets.length, -1])));
      logProbs.set(await targetLogProbs(logits, targets), from);
      logits.dispose();
    }
    hidden.dispose();
    return logProbs;
  }

  /**
   * What the target tokens of a batch attend to in the source, in one layer of the decoder: row t of a sentence is the
   * attention by which its token t is chosen. What comes after that layer is not computed.
   */
  async attention(
    { source, targetInput }: Batch,
    { layer, head }: AttentionChoice,
  ): Promise<AttentionMatrix[]> {
    const { attentionHeads: heads, embedDim } = this.model.config;
    let seen: tf.Tensor3D | undefined;
    const watchAttention: AttentionWatch = (index, queries, keys) => {
      if (index !== layer) return;
      const [q, k] = [targetInput.offsets, source.offsets];
      seen = tf.keep(attentionWeights(queries, keys, q, k, { heads, head }, embedDim));
    };
    tf.tidy(() => {
      const pass = this.pass({ watchAttention });
      const memory = finishReleasing(encoderSteps(pass, source));
      finishReleasing(
        until(() => seen !== undefined, decoderSteps(pass, targetInput, memory, source.offsets)),
      );
    });
    const { shape } = seen!;
    return matricesOf(await readAndDispose(seen!), shape, targetInput.offsets, source.offsets);
  }

  private pass(watch: Pick<Mode, 'watchAttention'> = {}): Pass {
    const { model, prepared, precision } = this;
    return new Pass(model.config, model.weights, { training: null, prepared, ...watch }, precision);
  }

  private output(): PreparedLinear {
    const { prepared, precision, model } = this;
    const weight = () => model.weights.get(outputName(model.config)) as tf.Tensor2D;
    const bias = (model.weights.get(OUTPUT_BIAS) as tf.Tensor1D | undefined) ?? null;
    return prepared.get('output', () => PreparedLinear.of(weight(), bias, precision));
  }
}

/** The steps up to that at which a condition holds. */
function* until(holds: () => boolean, steps: Steps): Steps {
  for (;;) {
    const { done, value } = steps.next();
    if (done === true || holds()) return value;
    yield value;
  }
}

/** Those of each sentence, of what has a grid of the size of the longest. */
function matricesOf(
  grid: Float32Array,
  [sentences, height, width]: readonly number[],
  targets: Int32Array,
  sources: Int32Array,
): AttentionMatrix[] {
  return Array.from({ length: sentences }, (_, i) => {
    const [rows, columns] = [targets, sources].map((offsets) => offsets[i + 1] - offsets[i]);
    const weights = new Float32Array(rows * columns);
    for (let row = 0; row < rows; row++) {
      const start = (i * height + row) * width;
      weights.set(grid.subarray(start, start + columns), row * columns);
    }
    return { rows, columns, weights };
  });
}
