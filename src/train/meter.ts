import { UserError } from '../common/errors.js';
import { tf } from '../ops/tf.js';
import type { UpdateFigures } from './update.js';

/** Sums over a stretch of updates. */
export interface MeterSums {
  updates: number;
  /** Target tokens, `</s>` counted. */
  tokens: number;
  pairs: number;
  /** In nats. */
  loss: number;
  nll: number;
  gradientNorm: number;
  /** Updates whose gradient was clipped. */
  clipped: number;
  /** Spent in updates alone: without validation and saving. */
  seconds: number;
}

export const EMPTY_SUMS: Readonly<MeterSums> = {
  updates: 0,
  tokens: 0,
  pairs: 0,
  loss: 0,
  nll: 0,
  gradientNorm: 0,
  clipped: 0,
  seconds: 0,
};

/** The figures of a stretch of training, in the units of fairseq's log. */
export interface TrainFigures {
  /** Per target token, in bits. */
  loss: number;
  nll_loss: number;
  /** 2^nll_loss. */
  ppl: number;
  /** Target tokens a second, `</s>` counted. */
  wps: number;
  /** Updates a second. */
  ups: number;
  /** Target tokens of an update. */
  wpb: number;
  /** Sentence pairs of an update. */
  bsz: number;
  /** Mean of the gradient norm before clipping. */
  gnorm: number;
  /** Share of the updates that were clipped, in percent. */
  clip: number;
}

interface Pending {
  /** Loss of each batch, nll of each batch, and the norm. */
  figures: tf.Tensor1D;
  batches: number;
  /** Number of the update. */
  update: number;
}

/** Loss and perplexity per token, in base 2, of sums in nats. */
export function inBits(sums: Pick<MeterSums, 'loss' | 'nll' | 'tokens'>): {
  loss: number;
  nll_loss: number;
  ppl: number;
} {
  const nll = sums.nll / sums.tokens / Math.LN2;
  return { loss: sums.loss / sums.tokens / Math.LN2, nll_loss: nll, ppl: 2 ** nll };
}

/** Gathers the figures of updates and fetches them from the device only when they are read. */
export class Meter {
  private readonly clipNorm: number;
  private sums: MeterSums;
  private pending: Pending[] = [];

  /** @param sums of a stretch that began before, in another process */
  constructor(clipNorm: number, sums: Readonly<MeterSums> = EMPTY_SUMS) {
    this.clipNorm = clipNorm;
    this.sums = { ...sums };
  }

  /** Updates since the start or the last reset. */
  get updates(): number {
    return this.sums.updates;
  }

  /** Takes the figures of an update, and their tensors. */
  add({ loss, nll, gradientNorm, tokens, pairs }: UpdateFigures, update: number, seconds: number): void {
    const figures = tf.tidy(() => tf.stack([...loss, ...nll, gradientNorm]) as tf.Tensor1D);
    tf.dispose([loss, nll, gradientNorm]);
    this.pending.push({ figures, batches: loss.length, update });
    this.sums.updates++;
    this.sums.tokens += tokens;
    this.sums.pairs += pairs;
    this.sums.seconds += seconds;
  }

  /**
   * The sums so far. Waits for the device.
   *
   * @throws UserError when a loss or norm is not finite
   */
  async read(): Promise<Readonly<MeterSums>> {
    const started = performance.now();
    for (const { figures, batches, update } of this.pending.splice(0)) {
      const values = await figures.data<'float32'>();
      figures.dispose();
      this.sums.loss += sum(values.subarray(0, batches));
      this.sums.nll += sum(values.subarray(batches, 2 * batches));
      const norm = values[2 * batches];
      this.sums.gradientNorm += norm;
      if (this.clipNorm > 0 && norm > this.clipNorm) this.sums.clipped++;
      if (!values.every(Number.isFinite)) throw diverged(update);
    }
    this.sums.seconds += (performance.now() - started) / 1000; // waiting for the device is part of the updates
    return { ...this.sums };
  }

  /** Starts a new stretch. */
  reset(): void {
    this.sums = { ...EMPTY_SUMS };
  }
}

/** The figures of a stretch with at least one update. */
export function trainFigures(sums: Readonly<MeterSums>): TrainFigures {
  const { updates, tokens, pairs, gradientNorm, clipped, seconds } = sums;
  return {
    ...inBits(sums),
    wps: tokens / seconds,
    ups: updates / seconds,
    wpb: tokens / updates,
    bsz: pairs / updates,
    gnorm: gradientNorm / updates,
    clip: (100 * clipped) / updates,
  };
}

/** The error for a training run that has diverged. */
export function diverged(update: number): UserError {
  return new UserError({
    problem: `training diverged: loss or gradient of update ${update} is not finite`,
    hint:
      'The last checkpoint is kept. Lower train.lr, raise train.warmup-updates, or set train.clip-norm; ' +
      'deep Post-LN models need model.residual: admin.',
  });
}

function sum(values: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < values.length; i++) total += values[i];
  return total;
}
