import { growthOf, theoryOf } from '../../analysis/growth.js';
import { measureOutputChanges } from '../../analysis/output-change.js';
import { log } from '../../common/log.js';
import { STACKS } from '../../model/scheme.js';
import type { OutputChange, OutputChanges } from '../../report/analysis-data.js';
import type { AnalysisContext } from './context.js';
import { type AnalyzedModel, openModel } from './models.js';

const DIRECTIONS = ['random', 'gradient'] as const;
const DEPTHS = [6, 12, 24, 48, 96];
const DELTAS = [1e-4];
/** Along the gradient all changes add up: the official code takes 1e-6 there and 1e-4 at random. */
const GRADIENT_SHARE = 0.01;

/** A model, and the seeds of the random signs that it is perturbed with. */
interface Perturbed {
  analyzed: AnalyzedModel;
  signs: readonly number[];
}

/** Output changes of the models of a config with N + N layers, for each depth N, and how they grow with it. */
export async function measureDepths(context: AnalysisContext): Promise<OutputChanges> {
  const { models, options } = context;
  const depths = [...new Set(options.depths ?? DEPTHS)].sort((a, b) => a - b);
  const changes: OutputChange[] = [];
  for (const { subject, config } of models) {
    for (const layers of depths) {
      log.info(`Output change: ${subject.residual}, ${layers} + ${layers} layers`);
      const model = { ...config.model, encoder: { layers }, decoder: { layers } };
      const seeded = seedsOf(context).map((seed) => ({
        analyzed: { subject, config: { ...config, model, seed }, folder: null },
        signs: [seed],
      }));
      changes.push(...(await measureChanges(context, seeded)));
    }
  }
  const theory = models.flatMap(({ config }) => depths.flatMap((depth) => theoryOf(config.model, depth)));
  return { changes, growth: depths.length < 2 ? [] : growthOf(changes, theory), theory };
}

/** Output changes of the models at checkpoints, which have the depth they have. */
export async function measureCheckpoints(context: AnalysisContext): Promise<OutputChanges> {
  const changes: OutputChange[] = [];
  for (const analyzed of context.models) {
    log.info(`Output change: ${analyzed.subject.checkpoint}`);
    changes.push(...(await measureChanges(context, [{ analyzed, signs: seedsOf(context) }])));
  }
  return { changes, growth: [], theory: [] };
}

function seedsOf({ config: { seed }, options: { seeds } }: AnalysisContext): number[] {
  return Array.from({ length: seeds }, (_, i) => seed + i);
}

/**
 * Changes of both stacks in both directions, for each delta.
 *
 * @param models one model, or the same with several seeds
 */
async function measureChanges(
  { data, batch, options }: AnalysisContext,
  models: readonly Perturbed[],
): Promise<OutputChange[]> {
  const cases = STACKS.flatMap((stack) =>
    DIRECTIONS.flatMap((direction) =>
      (options.deltas ?? DELTAS).map((delta) => ({
        stack,
        direction,
        delta: direction === 'gradient' ? Number((delta * GRADIENT_SHARE).toPrecision(12)) : delta,
      })),
    ),
  );
  const found: number[][] = cases.map(() => []);
  for (const { analyzed, signs } of models) {
    const { labelSmoothing } = analyzed.config.train;
    const { model } = await openModel(analyzed, data, options.withDropout === true);
    const perturbations = cases.flatMap((own, place) =>
      // There is one gradient, whatever the signs.
      (own.direction === 'random' ? signs : signs.slice(0, 1)).map((seed) => ({ ...own, seed, place })),
    );
    try {
      const { training } = batch;
      const changes = await measureOutputChanges(model, batch.batch, perturbations, {
        labelSmoothing,
        training,
      });
      changes.forEach((change, i) => {
        found[perturbations[i].place].push(change);
      });
    } finally {
      model.dispose();
    }
  }
  const [{ subject, config }] = models.map(({ analyzed }) => analyzed);
  return cases.map((own, i) => ({
    ...subject,
    ...own,
    depth: config.model[own.stack].layers,
    changes: found[i],
  }));
}
