import { deviation, mean } from '../common/statistics.js';
import type { ModelConfig } from '../config/schema.js';
import { STACKS } from '../model/scheme.js';
import type { Growth, OutputChange, OutputChanges } from '../report/analysis-data.js';
import { expectedChange } from './expectation.js';
import { fitExponent, fitLine } from './fit.js';

/** What theory expects a change to be proportional to, in both stacks of a model of `depth` + `depth` layers. */
export function theoryOf(model: ModelConfig, depth: number): OutputChanges['theory'] {
  const deep = { ...model, encoder: { layers: depth }, decoder: { layers: depth } };
  return STACKS.map((stack) => ({
    residual: model.residual,
    stack,
    depth,
    sum: expectedChange(deep, stack),
  }));
}

/**
 * How output changes grow with depth, for each scheme, stack, direction and delta.
 *
 * @param changes each group of them by depth, with the same seeds
 */
export function growthOf(changes: readonly OutputChange[], theory: OutputChanges['theory']): Growth[] {
  const groups = new Map<string, OutputChange[]>();
  for (const change of changes) {
    const key = [change.residual, change.stack, change.direction, change.delta].join();
    groups.set(key, [...(groups.get(key) ?? []), change]);
  }
  return [...groups.values()].map((group) =>
    fitGrowth(
      group,
      theory.filter(({ residual, stack }) => residual === group[0].residual && stack === group[0].stack),
    ),
  );
}

function fitGrowth(group: readonly OutputChange[], theory: OutputChanges['theory']): Growth {
  const [{ residual, stack, direction, delta, changes }] = group;
  const depths = group.map(({ depth }) => depth);
  const exponents = changes.map((_, seed) =>
    fitExponent(
      depths,
      group.map((own) => own.changes[seed]),
    ),
  );
  const known = exponents.filter((exponent) => exponent !== null);
  const complete = known.length === exponents.length;
  const means = group.map((own) => mean(own.changes));
  return {
    residual,
    stack,
    direction,
    delta,
    depths,
    exponents,
    exponent: complete ? mean(known) : null,
    deviation: complete ? deviation(known) : null,
    expected: fitExponent(
      depths,
      depths.map((depth) => theory.find((line) => line.depth === depth)!.sum),
    ),
    linearFit: complete ? fitLine(depths, means).explained : null,
    logarithmicFit: complete ? fitLine(depths.map(Math.log), means).explained : null,
  };
}
