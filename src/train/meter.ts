import { DivergenceError } from '../common/errors.js';
import type { AlignmentFigures, LossFigures } from '../common/validation-figures.js';
import { tf } from '../ops/tf.js';
import type { UpdateFigures } from './update.js';

/** Sums over a stretch of updates; those that were skipped are counted, and left out of everything else but the time. */
export interface MeterSums {
  updates: number;
  /** Updates whose loss or gradient was not finite. */
  skipped: number;
  /** Target tokens, `</s>` counted. */
  tokens: number;
  pairs: number;
  /** In nats. */
  loss: number;
  nll: number;
  /** Cross-entropy of the guided attention, in nats; where alignments are trained on. */
  alignment?: number;
  gradientNorm: number;
  /** Updates whose gradient was clipped. */
  clipped: number;
  /** Spent in updates alone: without validation and saving. */
  seconds: number;
}

export const EMPTY_SUMS: Readonly<MeterSums> = {
  updates: 0,
  skipped: 0,
  tokens: 0,
  pairs: 0,
  loss: 0,
  nll: 0,
  gradientNorm: 0,
  clipped: 0,
  seconds: 0,
};

/** The figures of a stretch of training, in the units of fairseq's log. */
export interface TrainFigures extends LossFigures, AlignmentFigures {
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
  /** Updates that were skipped, where there were any. */
  skipped?: number;
}

interface Pending {
  /** Loss of each batch, nll of each batch, the cross-entropy of its alignments where there are some, and the norm. */
  figures: tf.Tensor1D;
  batches: number;
  tokens: number;
  pairs: number;
}

/** One update, as it is read from the device; losses are summed over its tokens, in nats. */
export interface ReadFigures {
  loss: number;
  nll: number;
  alignment?: number;
  gradientNorm: number;
  tokens: number;
  /** Whether losses and norm are finite; if not, the update was skipped. */
  finite: boolean;
}

/** Loss and perplexity per target token, in base 2, of sums in nats. */
export function inBits({
  loss,
  nll,
  alignment,
  tokens,
}: Pick<MeterSums, 'loss' | 'nll' | 'alignment' | 'tokens'>): LossFigures & AlignmentFigures {
  const bits = (nats: number): number => nats / tokens / Math.LN2;
  return {
    ...{ loss: bits(loss), nll_loss: bits(nll), ppl: 2 ** bits(nll) },
    ...(alignment !== undefined && { alignment_loss: bits(alignment) }),
  };
}

/** Gathers the figures of updates and fetches them from the device only when they are read. */
export class Meter {
  private readonly clipNorm: number;
  private sums: MeterSums;
  private pending: Pending[] = [];
  private latest: ReadFigures | undefined;

  /** @param sums of a stretch that began before, in another process */
  constructor(clipNorm: number, sums: Readonly<MeterSums> = EMPTY_SUMS) {
    this.clipNorm = clipNorm;
    this.sums = { ...sums };
  }

  /** Updates since the start or the last reset, the skipped ones too. */
  get updates(): number {
    return this.sums.updates + this.sums.skipped + this.pending.length;
  }

  /** Takes the figures of an update, and their tensors. */
  add({ loss, nll, alignment = [], gradientNorm, tokens, pairs }: UpdateFigures, seconds: number): void {
    const figures = tf.tidy(() => tf.stack([...loss, ...nll, ...alignment, gradientNorm]) as tf.Tensor1D);
    tf.dispose([loss, nll, alignment, gradientNorm]);
    this.pending.push({ figures, batches: loss.length, tokens, pairs });
    this.sums.seconds += seconds;
  }

  /** The sums so far. Waits for the device. */
  async read(): Promise<Readonly<MeterSums>> {
    await this.fetch();
    return { ...this.sums };
  }

  /** The figures of the update that was added last. Waits for the device. */
  async last(): Promise<Readonly<ReadFigures>> {
    await this.fetch();
    return this.latest!;
  }

  /** Starts a new stretch, or goes on with one from another time. */
  reset(sums: Readonly<MeterSums> = EMPTY_SUMS): void {
    this.sums = { ...sums };
  }

  private async fetch(): Promise<void> {
    const started = performance.now();
    for (const pending of this.pending.splice(0)) {
      this.latest = await fetchFigures(pending);
      this.sum(this.latest, pending.pairs);
    }
    this.sums.seconds += (performance.now() - started) / 1000; // waiting for the device is part of the updates
  }

  private sum({ loss, nll, alignment, gradientNorm, tokens, finite }: ReadFigures, pairs: number): void {
    const { sums } = this;
    if (!finite) {
      sums.skipped++;
      return;
    }
    sums.updates++;
    sums.tokens += tokens;
    sums.pairs += pairs;
    sums.loss += loss;
    sums.nll += nll;
    if (alignment !== undefined) sums.alignment = (sums.alignment ?? 0) + alignment;
    sums.gradientNorm += gradientNorm;
    if (this.clipNorm > 0 && gradientNorm > this.clipNorm) sums.clipped++;
  }
}

async function fetchFigures({ figures, batches, tokens }: Pending): Promise<ReadFigures> {
  const values = await figures.data<'float32'>();
  figures.dispose();
  return {
    loss: sum(values.subarray(0, batches)),
    nll: sum(values.subarray(batches, 2 * batches)),
    ...(values.length > 2 * batches + 1 && { alignment: sum(values.subarray(2 * batches, -1)) }),
    gradientNorm: values[values.length - 1],
    tokens,
    finite: values.every(Number.isFinite),
  };
}

/** The figures of a stretch with at least one update; NaN where all of them were skipped. */
export function trainFigures(sums: Readonly<MeterSums>): TrainFigures {
  const { updates, skipped, tokens, pairs, gradientNorm, clipped, seconds } = sums;
  return {
    ...inBits(sums),
    wps: tokens / seconds,
    ups: updates / seconds,
    wpb: tokens / updates,
    bsz: pairs / updates,
    gnorm: gradientNorm / updates,
    clip: (100 * clipped) / updates,
    ...(skipped > 0 ? { skipped } : {}),
  };
}

/** The error for a training run that has diverged, where nobody has looked for the cause. */
export function diverged(update: number): DivergenceError {
  return new DivergenceError(
    `training diverged: a loss or gradient up to update ${update} is not finite\n` +
      '  The last checkpoint is kept. Lower train.lr, raise train.warmup-updates, or set train.clip-norm; ' +
      'deep Post-LN models need model.residual: admin.',
  );
}

function sum(values: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < values.length; i++) total += values[i];
  return total;
}
