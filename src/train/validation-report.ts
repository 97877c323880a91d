import type { BestMetric, BestValidation } from './bests.js';
import type { TranslationSample } from './validation.js';

/** A validation in one line. */
export function describeValidation(
  found: BestValidation,
  best: BestValidation | undefined,
  metric: BestMetric,
): string {
  const { epoch, updates, loss, ppl, bleu, chrf } = found;
  const standing =
    best === undefined || best === found
      ? 'the best so far'
      : `best ${metric} ${best[metric]?.toFixed(3)} after ${best.updates}`;
  return [
    `epoch ${epoch}`,
    `${updates} updates`,
    `valid loss ${loss.toFixed(3)}`,
    ...(ppl === undefined ? [] : [`ppl ${ppl.toFixed(2)}`]),
    ...(bleu === undefined ? [] : [`BLEU ${bleu.toFixed(1)}`]),
    ...(chrf === undefined ? [] : [`chrF ${chrf.toFixed(1)}`]),
    standing,
  ].join(' · ');
}

/** A translation below its source and reference. */
export function describeSample({ source, reference, hypothesis }: TranslationSample): string {
  return `  source     ${source}\n  reference  ${reference}\n  hypothesis ${hypothesis}`;
}
