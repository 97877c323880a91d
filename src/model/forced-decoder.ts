import type { Precision } from '../common/precision.js';
import type { Batch } from '../data/batch.js';
import { PreparedLinear } from '../ops/prepared-linear.js';
import { targetLogProbs } from '../ops/target-log-probs.js';
import { tf } from '../ops/tf.js';
import type { DecodingModel } from './incremental.js';
import { finishReleasing } from './layers.js';
import { OUTPUT_BIAS, outputName } from './parameters.js';
import { Pass, type PreparedLinears } from './pass.js';
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

  private pass(): Pass {
    const { model, prepared, precision } = this;
    return new Pass(model.config, model.weights, { training: null, prepared }, precision);
  }

  private output(): PreparedLinear {
    const { prepared, precision, model } = this;
    const weight = () => model.weights.get(outputName(model.config)) as tf.Tensor2D;
    const bias = (model.weights.get(OUTPUT_BIAS) as tf.Tensor1D | undefined) ?? null;
    return prepared.get('output', () => PreparedLinear.of(weight(), bias, precision));
  }
}
