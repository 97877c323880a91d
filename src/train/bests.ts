import type { TrainConfig } from '../config/schema.js';
import type { Scores, ValidationFigures } from './validation.js';

/** What validations are ranked by. */
export type BestMetric = TrainConfig['bestCheckpointMetric'];

/** A validation that was among the best. Earlier versions kept fewer of its figures. */
export interface BestValidation extends Partial<ValidationFigures>, Scores {
  loss: number;
  epoch: number;
  updates: number;
}

/** The greater the better, in the place of each metric. */
const SIGNS: Readonly<Record<BestMetric, 1 | -1>> = { loss: -1, nll_loss: -1, ppl: -1, bleu: 1, chrf: 1 };

/**
 * Puts a validation among the best ones.
 *
 * @param bests the best ones before it, the best first
 * @param keep how many to keep
 * @returns the best ones with it, and its place among them; -1 where it has none. Of two that are equal the earlier one is
 *   the better
 */
export function rank(
  bests: readonly BestValidation[],
  found: BestValidation,
  metric: BestMetric,
  keep: number,
): { bests: BestValidation[]; place: number } {
  const worth = ({ [metric]: value }: BestValidation): number =>
    value === undefined ? -Infinity : SIGNS[metric] * value;
  if (worth(found) === -Infinity) return { bests: [...bests], place: -1 };
  const before = bests.filter((best) => worth(best) >= worth(found)).length;
  const after = bests.slice(before).filter(({ updates }) => updates !== found.updates);
  const ranked = [...bests.slice(0, before), found, ...after].slice(0, keep);
  return { bests: ranked, place: ranked.indexOf(found) };
}
