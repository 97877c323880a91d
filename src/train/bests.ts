import { type FigureName, type ValidationFigures, worthOf } from '../common/validation-figures.js';

/** A validation that was among the best. Earlier versions kept fewer of its figures. */
export interface BestValidation extends Partial<ValidationFigures> {
  loss: number;
  epoch: number;
  updates: number;
}

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
  metric: FigureName,
  keep: number,
): { bests: BestValidation[]; place: number } {
  const worth = ({ [metric]: value }: BestValidation): number =>
    value === undefined ? -Infinity : worthOf(metric, value);
  if (worth(found) === -Infinity) return { bests: [...bests], place: -1 };
  const before = bests.filter((best) => worth(best) >= worth(found)).length;
  const after = bests.slice(before).filter(({ updates }) => updates !== found.updates);
  const ranked = [...bests.slice(0, before), found, ...after].slice(0, keep);
  return { bests: ranked, place: ranked.indexOf(found) };
}
