import type { ReadFigures } from '../meter.js';

/** Updates of a window: the loss is judged by its mean over a window. */
export const WINDOW = 100;
/** Windows one after another that are in trouble before a warning. */
export const PATIENCE = 3;
/** Updates after the warmup in which a loss at the unigram plateau is nothing to worry about. */
export const SETTLING = 200;
/** Around the unigram loss: from 3 % below to 10 % above it is the plateau, what is above is worse than the plateau. */
export const PLATEAU: readonly [number, number] = [0.97, 1.1];
/** A window that is better than the best one by more than this share of the unigram loss is falling, wherever it is. */
export const FALLING = 0.01;
/** A window is above the best one where its loss is more than 1.2 times that, and 0.25 bits. */
export const SPIKE = { times: 1.2, bits: 0.25 } as const;

/** Failures without a NaN. */
export type SilentFailure = 'plateau' | 'above-plateau' | 'spike';

export interface WatchState {
  /** Sums over the updates of the window so far: tokens, and their negative log-likelihood in nats. */
  tokens: number;
  nll: number;
  /** Least mean of a window so far, in bits. */
  best: number | null;
  /** Windows in trouble one after another, up to now. */
  troubled: number;
}

export const INITIAL_WATCH: Readonly<WatchState> = { tokens: 0, nll: 0, best: null, troubled: 0 };

export interface Watched {
  state: WatchState;
  /** What is to be told now. */
  failure: { kind: SilentFailure; nll: number } | null;
}

/**
 * One more update. Windows end at multiples of WINDOW, so that all of this is a function of the updates.
 *
 * @param warmup updates of it
 * @param unigram mean loss of a model that knows the frequencies of words alone, in bits
 */
export function watch(
  before: WatchState,
  { nll, tokens, finite }: ReadFigures,
  update: number,
  warmup: number,
  unigram: () => number,
): Watched {
  const sums = finite ? { ...before, tokens: before.tokens + tokens, nll: before.nll + nll } : { ...before };
  if (update % WINDOW !== 0 || sums.tokens === 0) return { state: sums, failure: null };
  const mean = sums.nll / sums.tokens / Math.LN2;
  const settled = update - WINDOW >= warmup + SETTLING;
  const kind = judge(mean, before.best, settled ? unigram : null);
  const troubled = kind === null ? 0 : before.troubled + 1;
  return {
    state: { tokens: 0, nll: 0, best: Math.min(mean, before.best ?? Infinity), troubled },
    failure: kind !== null && troubled === PATIENCE ? { kind, nll: mean } : null,
  };
}

function judge(mean: number, best: number | null, unigram: (() => number) | null): SilentFailure | null {
  if (best !== null && mean > best * SPIKE.times + SPIKE.bits) return 'spike';
  if (unigram === null) return null;
  const ratio = mean / unigram();
  if (best !== null && (best - mean) / unigram() > FALLING) return null;
  if (ratio > PLATEAU[1]) return 'above-plateau';
  return ratio >= PLATEAU[0] ? 'plateau' : null;
}

export function isWatchState(value: unknown): value is WatchState {
  if (typeof value !== 'object' || value === null) return false;
  const { tokens, nll, best, troubled } = value as WatchState;
  return [tokens, nll, best ?? 0].every(Number.isFinite) && Number.isSafeInteger(troubled);
}
