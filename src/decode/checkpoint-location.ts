import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { nearest, UserError } from '../common/errors.js';
import { findRun } from '../config/run-folder.js';

/** Where a trained model lies. */
export interface CheckpointLocation {
  /** The folder with config, dictionaries and tokenizer. */
  runDirectory: string;
  /** The folder with the weights. */
  checkpoint: string;
}

/** The file in a checkpoint that holds the weights. */
export const WEIGHTS_FILE = 'model.safetensors';

const NO_WEIGHTS = `no checkpoint (${WEIGHTS_FILE}) here`;

/** Most checkpoints that are told where another is wanted. */
const NAMED = 8;

/** The weights of training, or their moving average. */
export type WeightsKind = 'live' | 'ema';

/**
 * The file of a checkpoint with the weights to translate with.
 *
 * @param asked what the user wants
 * @param validated what the validation of the run looks at: where nothing is asked for that is taken, if it is there
 * @throws UserError where what is asked for is not there
 */
export function weightsFile(
  checkpoint: string,
  asked: WeightsKind | undefined,
  validated: WeightsKind,
): string {
  const average = path.join(checkpoint, 'ema.safetensors');
  const wanted = asked ?? validated;
  if (wanted === 'ema' && existsSync(average)) return average;
  if (asked !== 'ema') return path.join(checkpoint, WEIGHTS_FILE);
  throw new UserError({
    problem: 'expected a moving average of the weights, found none',
    where: average,
    hint: 'Training keeps one with train.ema-decay. Leave --weights out, or use --weights live.',
  });
}

/**
 * Finds the checkpoint to translate with.
 *
 * @param run a run directory, or a checkpoint in one
 * @param checkpoint the name of a checkpoint in the run directory or its path; by default `checkpoint_best`, or
 *   `checkpoint_last` where there is no best one
 * @throws UserError naming what was looked for
 */
export function locateCheckpoint(run: string, checkpoint?: string): CheckpointLocation {
  const { runDirectory, checkpoint: named } = findRun(run);
  const within = (name: string): string => path.join(runDirectory, name);
  if (checkpoint !== undefined) {
    const found = [within(checkpoint), checkpoint].find(holdsWeights);
    if (found === undefined) throw absent(within(checkpoint), NO_WEIGHTS, meant(runDirectory, checkpoint));
    return { runDirectory, checkpoint: found };
  }
  if (named !== undefined) {
    if (!holdsWeights(named)) throw absent(named, NO_WEIGHTS, meant(runDirectory));
    return { runDirectory, checkpoint: named };
  }
  const found = ['checkpoint_best', 'checkpoint_last'].map(within).find(holdsWeights);
  if (found !== undefined) return { runDirectory, checkpoint: found };
  throw absent(run, `neither checkpoint_best nor checkpoint_last (with ${WEIGHTS_FILE}) is here`);
}

function holdsWeights(folder: string): boolean {
  return existsSync(path.join(folder, WEIGHTS_FILE));
}

/** What to type in the place of a checkpoint that is not there: one that is. Undefined where the run has none. */
function meant(runDirectory: string, name = ''): string | undefined {
  const names = readdirSync(runDirectory)
    .filter((found) => holdsWeights(path.join(runDirectory, found)))
    .sort();
  if (names.length === 0) return undefined;
  const near = names.find((found) => found === `checkpoint_${name}`) ?? nearest(name, names);
  const some = names.length > NAMED ? [...names.slice(0, NAMED), '…'] : names;
  return `${near === undefined ? '' : `Did you mean ${near}? `}The checkpoints of this run are ${some.join(', ')}.`;
}

function absent(
  where: string,
  problem: string,
  hint = 'Give the save-dir of a training run that has saved a checkpoint, or the folder of a checkpoint in one.',
): UserError {
  return new UserError({ problem, where, hint });
}
