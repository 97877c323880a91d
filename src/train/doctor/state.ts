import type { ReadFigures } from '../meter.js';
import { INITIAL_WATCH, isWatchState, type WatchState } from './watch.js';

/** Updates that the history goes back. */
export const HISTORY = 200;

/** Figures of the latest updates; null for what is not finite. */
export interface History {
  /** Number of the update that the last figures are of. */
  last: number;
  /** Negative log-likelihood for each token, in bits. */
  nll: (number | null)[];
  /** Norm of the gradient before clipping. */
  gradientNorm: (number | null)[];
}

/** What the doctor knows of a run: a function of its updates, and part of every checkpoint. */
export interface DoctorState {
  /** Updates skipped so far, and how many of them one after another up to now. */
  skipped: number;
  inARow: number;
  history: History;
  watch: WatchState;
  /** The newest checkpoint to go back to. */
  good: { epoch: number; updates: number } | null;
  rollbacks: number;
  /** What the learning rate of the schedule is multiplied by. */
  lrFactor: number;
  /** From which update training has just gone back; null once it is told. */
  cameFrom: number | null;
}

export const INITIAL_DOCTOR: Readonly<DoctorState> = {
  skipped: 0,
  inARow: 0,
  history: { last: 0, nll: [], gradientNorm: [] },
  watch: INITIAL_WATCH,
  good: null,
  rollbacks: 0,
  lrFactor: 1,
  cameFrom: null,
};

/** A history with one more update. One that the doctor has not seen breaks it off. */
export function extend(
  history: History,
  update: number,
  { nll, gradientNorm, tokens }: ReadFigures,
): History {
  const before = history.last === update - 1 ? history : INITIAL_DOCTOR.history;
  const append = (values: (number | null)[], value: number): (number | null)[] => [
    ...values.slice(1 - HISTORY),
    Number.isFinite(value) ? value : null,
  ];
  return {
    last: update,
    nll: append(before.nll, nll / tokens / Math.LN2),
    gradientNorm: append(before.gradientNorm, gradientNorm),
  };
}

export function isDoctorState(value: unknown): value is DoctorState {
  if (typeof value !== 'object' || value === null) return false;
  const { skipped, inARow, history, watch, good, rollbacks, lrFactor, cameFrom } = value as DoctorState;
  return (
    [skipped, inARow, rollbacks, cameFrom ?? 0, good?.epoch ?? 0, good?.updates ?? 0].every(
      Number.isSafeInteger,
    ) &&
    typeof lrFactor === 'number' &&
    isHistory(history) &&
    isWatchState(watch)
  );
}

function isHistory(value: unknown): value is History {
  const { last, nll, gradientNorm } = (value ?? {}) as History;
  const isList = (list: unknown): boolean =>
    Array.isArray(list) && list.every((entry) => entry === null || typeof entry === 'number');
  return (
    Number.isSafeInteger(last) && isList(nll) && isList(gradientNorm) && nll.length === gradientNorm.length
  );
}
