import { median } from '../../common/statistics.js';
import { SCHEMES } from '../../config/residual-schemes.js';
import type { ModelConfig } from '../../config/schema.js';
import type { SublayerDependency } from '../../model/dependency.js';
import { STACKS, type Stack } from '../../model/scheme.js';
import type { Facts } from './facts.js';

/** Something to do, and the fact that it follows from. */
export interface Advice {
  measure:
    | 'checkpoint'
    | 'sentences'
    | 'machine'
    | 'admin'
    | 'warmup'
    | 'lr'
    | 'clip-norm'
    | 'batch-size'
    | 'rollback';
  because: string;
  /** What to change. */
  change: string;
}

/** Residual sublayers of a stack from which on it is deep. */
const DEEP = 16;
/** Median gradient norm of the last quarter of the history over that of the first, from which on it grows. */
const GROWTH = 4;
/** Norm of the last finite gradient over the median, from which on it has jumped. */
const JUMP = 10;
/** Target tokens of an update below which it is a small one. */
const SMALL_UPDATE = 4096;
/** Median distance from the median gradient norm, as a share of it, from which on gradients are noisy. */
const NOISY = 0.4;
/** Multiple of the usual learning rate from which on one is high. */
const HIGH_LR = 4;
/** And one that is low. */
const LOW_LR = 30;

/**
 * What can be done, the likeliest first; each piece follows from a fact that it names. Never empty.
 */
export function adviceFrom(facts: Facts): Advice[] {
  const certain = fromDiagnosis(facts);
  if (certain.length > 0) return certain;
  const found = [admin, warmup, learningRate, clipping, batchSize].flatMap((rule) => rule(facts) ?? []);
  return found.length > 0 ? found : [fallback(facts)];
}

/** What follows from the first bad tensor alone. */
function fromDiagnosis({ diagnosis }: Facts): Advice[] {
  if (diagnosis === null) return [];
  const { cause, first, pairs } = diagnosis;
  if (cause === 'weight') {
    return [
      {
        measure: 'checkpoint',
        because: `the weight ${first!.parameter} is not finite, and no update that is not finite is taken: it was read like that, or a step of the update before was too large for it`,
        change:
          'Go on from a checkpoint before it (point checkpoint_last to it; admin-nmt check says which are whole).',
      },
    ];
  }
  if (cause === 'batch') {
    return [
      {
        measure: 'sentences',
        because: 'the same weights take another batch without failing',
        change: `Look at the training pairs ${pairs.slice(0, 20).join(', ')}${pairs.length > 20 ? ', …' : ''} (counted from 0), and at words that are in them alone.`,
      },
    ];
  }
  if (first === null) {
    return [
      {
        measure: 'machine',
        because: 'the same batch with the same masks and weights is finite when it is computed again',
        change: 'Go on from the last checkpoint; where it comes again, test the memory of the machine.',
      },
    ];
  }
  return [];
}

/** Post-LN, deep, and leaning on its branches. */
function admin({ model, dependencies }: Facts): Advice | null {
  const postLn = (stack: Stack): boolean => {
    const { norm, shortcut, layerInput } = SCHEMES[model.residual][stack];
    return norm === 'post' && shortcut === 'plain' && !layerInput;
  };
  const [worst] = STACKS.filter(postLn)
    .map((stack) => ({ stack, ...sumOf(dependencies, stack) }))
    .filter(({ count, sum }) => count >= DEEP && sum > heavy(count))
    .sort((a, b) => b.sum - a.sum);
  if (worst === undefined) return null;
  const { stack, count, sum } = worst;
  return {
    measure: 'admin',
    because: `the ${stack} has ${count} sublayers of ${model.residual} whose dependencies on their branches add up to ${sum.toFixed(1)}; they grow with the depth, where under Admin they add up to ${heavy(count).toFixed(1)} at first`,
    change: 'model.residual: admin',
  };
}

function sumOf(dependencies: readonly SublayerDependency[], stack: Stack): { count: number; sum: number } {
  const own = dependencies.filter((site) => site.stack === stack);
  const finite = own.map(({ dependency }) => dependency).filter(Number.isFinite);
  return { count: own.length, sum: finite.reduce((sum, dependency) => sum + dependency, 0) };
}

/** What the dependencies of so many sublayers add up to where the k-th is 1/k, as under Pre-LN and Admin: O(log N). */
function heavy(sublayers: number): number {
  return Math.log(sublayers) + 0.577;
}

function warmup({ update, train: { warmupUpdates } }: Facts): Advice | null {
  if (update > 2 * warmupUpdates + 100) return null;
  return {
    measure: 'warmup',
    because: `it went wrong at update ${update}, with ${warmupUpdates} updates of warmup`,
    change: `train.warmup-updates: ${Math.max(1000, 2 * warmupUpdates)} or more`,
  };
}

function learningRate({ lr, train, model, history, failure }: Facts): Advice | null {
  const usual = usualLr(model, train.warmupUpdates);
  const advice = (because: string, rate: number): Advice => ({
    measure: 'lr',
    because,
    change: `train.lr: ${Number(rate.toPrecision(2))}`,
  });
  const formula = `(d · w)^−½ = ${usual.toPrecision(2)} for this width and warmup`;
  const peak = `the peak learning rate ${train.lr} is`;
  if (train.lr > HIGH_LR * usual) {
    return advice(`${peak} ${(train.lr / usual).toPrecision(2)} times what is usual, ${formula}`, usual);
  }
  if (failure.endsWith('plateau') && train.lr < usual / LOW_LR) {
    return advice(`${peak} far below what is usual, ${formula}`, usual);
  }
  const growth = growthOf(finiteOf(history.gradientNorm));
  if (growth < GROWTH) return null;
  const grown = `the gradient norm has grown ${growth.toFixed(1)} times over the last ${history.gradientNorm.length} updates`;
  return advice(`${grown}, at a learning rate of ${lr.toPrecision(2)}`, train.lr / 3);
}

/** The peak of the schedule of Vaswani et al. (2017, eq. 3), d^−½ · w^−½, as for a warmup of at least 1000 updates. */
export function usualLr({ embedDim }: Pick<ModelConfig, 'embedDim'>, warmupUpdates: number): number {
  return (embedDim * Math.max(warmupUpdates, 1000)) ** -0.5;
}

function clipping({ train: { clipNorm }, history }: Facts): Advice | null {
  const norms = finiteOf(history.gradientNorm);
  if (clipNorm > 0 || norms.length < 20) return null;
  const [last, usual] = [norms.at(-1)!, median(norms)];
  if (last < JUMP * usual) return null;
  return {
    measure: 'clip-norm',
    because: `the last finite gradient norm, ${last.toPrecision(3)}, is ${(last / usual).toFixed(0)} times the median of ${usual.toPrecision(3)}, and nothing clips it`,
    change: `train.clip-norm: ${Number((2 * usual).toPrecision(2))}`,
  };
}

function batchSize({ tokens, history }: Facts): Advice | null {
  const norms = finiteOf(history.gradientNorm);
  if (tokens >= SMALL_UPDATE || norms.length < 20) return null;
  const middle = median(norms);
  const spread = median(norms.map((norm) => Math.abs(norm - middle))) / middle;
  if (spread < NOISY) return null;
  return {
    measure: 'batch-size',
    because: `an update has ${tokens} target tokens, and gradient norms lie ${(100 * spread).toFixed(0)} % around their median`,
    change: 'a larger train.max-tokens or train.update-freq',
  };
}

function fallback({ lr, failure, train }: Facts): Advice {
  const because = `nothing in the history or the model explains it, at a learning rate of ${lr.toPrecision(2)}`;
  if (failure !== 'non-finite') {
    return { measure: 'lr', because, change: `train.lr: ${Number((train.lr / 3).toPrecision(2))}` };
  }
  const change =
    'train.rollback-lr-factor: 0.5, which goes on from the last good checkpoint at a smaller rate';
  return { measure: 'rollback', because, change };
}

const finiteOf = (values: readonly (number | null)[]): number[] => values.filter((value) => value !== null);

function growthOf(norms: readonly number[]): number {
  const quarter = Math.floor(norms.length / 4);
  if (quarter < 5) return 1;
  return median(norms.slice(-quarter)) / median(norms.slice(0, quarter));
}
