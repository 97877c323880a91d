import { DivergenceError } from '../common/errors.js';
import type { TrainConfig } from '../config/schema.js';

/*
 * Gradients that float16 would lose, since its least number is 6·10⁻⁸: the gradient of the loss is multiplied by a scale,
 * and the optimizer divides by it. The scale is as large as it may be: it is doubled after many updates without overflow,
 * and halved with each overflow, whose update is skipped. Numbers and rules are those of fairseq with its defaults
 * (fairseq/optim/dynamic_loss_scaler.py, fp16_optimizer.py).
 */

/** Where the scale stands: a function of the updates. */
export interface LossScale {
  /** Of the next update; a power of two. */
  scale: number;
  /** Updates since the latest overflow, or since the start. */
  clean: number;
}

export const INITIAL_LOSS_SCALE: Readonly<LossScale> = { scale: 2 ** 7, clean: 0 };
const FACTOR = 2;
/** Batches without overflow after which the scale is doubled. */
const WINDOW = 2 ** 14;
/** Where gradients overflow under a scale as small, another one will not help. */
const LEAST = 1e-4;

/** Where the scale of a training starts or goes on; undefined in another precision, which has none. */
export function lossScaleOf({ precision }: TrainConfig, known?: LossScale): LossScale | undefined {
  return precision === 'float16' ? (known ?? INITIAL_LOSS_SCALE) : undefined;
}

/**
 * The scale after an update.
 *
 * @param finite whether its losses and its gradient were
 * @throws DivergenceError where gradients overflow however small it is
 */
export function nextLossScale(
  { scale, clean }: LossScale,
  finite: boolean,
  { updateFreq }: Pick<TrainConfig, 'updateFreq'>,
): LossScale {
  if (!finite) {
    if (scale / FACTOR > LEAST) return { scale: scale / FACTOR, clean: 0 };
    throw new DivergenceError(
      `training diverged: loss or gradient are not finite in float16, even with the loss times ${scale}\n` +
        '  The last checkpoint is kept. Lower train.lr, raise train.warmup-updates, set train.clip-norm, or set train.precision to float32.',
    );
  }
  const window = Math.max(1, Math.floor(WINDOW / updateFreq));
  const grows = (clean + 1) % window === 0;
  return { scale: grows ? scale * FACTOR : scale, clean: clean + 1 };
}

export function isLossScale(value: unknown): value is LossScale {
  const { scale, clean } = (value ?? {}) as LossScale;
  return Number.isFinite(scale) && scale > 0 && Number.isSafeInteger(clean) && clean >= 0;
}
