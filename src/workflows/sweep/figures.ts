import { fitLine } from '../../analysis/fit.js';
import { userErrorOf } from '../../common/errors.js';
import type { Config } from '../../config/schema.js';
import type { CellFigures, CurvePoints, ValidPoint } from '../../report/sweep-results.js';
import type { MetricsPoint } from '../../report/training-run.js';
import { FALL, LAST_PART, PAST, SPAN, type Verdict } from '../../report/verdict.js';
import { unigramLoss } from '../../train/doctor/unigram.js';
import { SPIKE } from '../../train/doctor/watch.js';
import { type FoundRun, openRun } from '../runs/overview.js';
import { openTrainingData } from '../train/data.js';
import type { CellRecord } from './record.js';

/** The run directory of a cell; undefined where training has not come so far as to write one. */
export function openCell(folder: string, name: string): FoundRun | undefined {
  try {
    return openRun(folder, name);
  } catch (error) {
    userErrorOf(error);
    return undefined;
  }
}

/** Where a cell stands, as the files of its run tell. */
export function figuresOf(run: FoundRun | undefined, { end, unigram }: CellRecord): CellFigures {
  const lines = run?.lines ?? [];
  const valid = validPoints(lines);
  const best = valid.reduce<ValidPoint | null>(
    (low, one) => (low === null || one.loss < low.loss ? one : low),
    null,
  );
  const { updates = 0, seconds = 0, speed = null } = run?.overview ?? {};
  return { verdict: judge(lines, end, unigram), best, last: valid.at(-1) ?? null, updates, seconds, speed };
}

/**
 * What became of a training, by the negative log-likelihood of its validations, or of its training where it has no
 * validation split.
 *
 * @param end how the process ended
 * @param unigram the plateau, in bits a token; where it is not known, null, every level counts as past it
 */
export function judge(
  lines: readonly MetricsPoint[],
  end: CellRecord['end'],
  unigram: number | null,
): Verdict {
  if (end === null) return 'unfinished';
  if (end !== 'done') return end;
  if (lines.some(({ loss }) => loss === undefined)) return 'diverged'; // it was no number
  const [valid, train] = [curveOf(lines, 'valid'), curveOf(lines, 'train')];
  const nll = (valid.length > 0 ? valid : train).map(([, bits]) => bits);
  const [best, last] = [Math.min(...nll), nll.at(-1) ?? Infinity];
  if (last > best * SPIKE.times + SPIKE.bits) return 'diverged';
  const fall = fallOf(valid) ?? fallOf(train);
  const falls = fall === null || fall > FALL * (unigram ?? last);
  const past = last < (unigram === null ? Infinity : PAST * unigram);
  if (past) return falls ? 'learning' : 'converged';
  return falls ? 'early' : 'plateau';
}

/** By how much a line through the last part of a curve comes down over it; null where there are not points enough to tell. */
function fallOf(curve: CurvePoints): number | null {
  const end = curve.at(-1)?.[0] ?? 0;
  const part = curve.filter(([updates]) => end - updates <= end * LAST_PART);
  const [updates, bits] = [0, 1].map((k) => part.map((point) => point[k]));
  // Two validations one after another at the end would tell of themselves alone.
  if (part.length < 2 || end - updates[0] < end * LAST_PART * SPAN) return null;
  return -fitLine(updates, bits).slope * end * LAST_PART;
}

/** Negative log-likelihood in bits a token over updates. */
export function curveOf(lines: readonly MetricsPoint[], event: MetricsPoint['event']): CurvePoints {
  return lines.flatMap(
    ({ event: own, num_updates, nll_loss }): CurvePoints =>
      own === event && nll_loss !== undefined ? [[num_updates, nll_loss]] : [],
  );
}

function validPoints(lines: readonly MetricsPoint[]): ValidPoint[] {
  return lines.flatMap(({ event, num_updates: updates, loss, nll_loss: nll }) =>
    event === 'valid' && loss !== undefined && nll !== undefined ? [{ updates, loss, nll }] : [],
  );
}

/** The unigram plateau of the dataset of a config, which has been made. @throws UserError for data at odds with the config */
export function plateauOf(config: Config): number {
  const data = openTrainingData(config);
  try {
    return unigramLoss(data.train, data.target.size, config.train.labelSmoothing, data.resegment);
  } finally {
    data.close();
  }
}
