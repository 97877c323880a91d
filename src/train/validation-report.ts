import { FIGURE_NAMES, type FigureName, tellFigures } from '../common/validation-figures.js';
import type { BestValidation } from './bests.js';
import type { TranslationSample } from './validation.js';

/** A validation in one line. */
export function describeValidation(
  found: BestValidation,
  best: BestValidation | undefined,
  metric: FigureName,
): string {
  const { epoch, updates } = found;
  const standing =
    best === undefined || best === found
      ? 'the best so far'
      : `best ${metric} ${best[metric]?.toFixed(3)} after ${best.updates}`;
  return [
    `epoch ${epoch}`,
    `${updates} updates`,
    `valid ${tellFigures(found, FIGURE_NAMES).join(' · ')}`,
    standing,
  ].join(' · ');
}

/** A translation below its source and reference. */
export function describeSample({ source, reference, hypothesis }: TranslationSample): string {
  return `  source     ${source}\n  reference  ${reference}\n  hypothesis ${hypothesis}`;
}
