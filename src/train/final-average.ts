import * as path from 'node:path';
import { log } from '../common/log.js';
import type { ValidationFigures } from '../common/validation-figures.js';
import type { TrainConfig } from '../config/schema.js';
import { Transformer } from '../model/transformer.js';
import {
  type AverageContent,
  averageWeights,
  isAverage,
  readAverage,
  weightsOf,
  writeAverage,
} from './average.js';
import { checkpointName, isThere, numberedCheckpoints } from './checkpoint-folders.js';
import { type SelectedCheckpoint, selectCheckpoints } from './select-checkpoints.js';
import type { TrainState } from './state.js';

/** What a model scores on the validation split; null where there is none. */
export type FinalFigures = ValidationFigures | null;

/** An average that was made at the end of training. */
export interface FinalAverage {
  folder: string;
  /** How many checkpoints went into it. */
  count: number;
  figures: FinalFigures;
}

export interface FinalAverageOptions {
  runDirectory: string;
  config: Pick<TrainConfig, 'averageLast' | 'averageBest'>;
  state: Readonly<TrainState>;
  /** A model of the same shape. */
  model: Transformer;
  score: (model: Transformer) => Promise<FinalFigures>;
  /** Whether another process writes them. */
  follows: boolean;
}

/**
 * Averages the last and the best checkpoints as `average-last` and `average-best` ask for, and scores the means. An average
 * of the same checkpoints that is there already stays.
 */
export async function averageAtEnd(options: FinalAverageOptions): Promise<FinalAverage[]> {
  const { runDirectory, config, state } = options;
  const saved = numberedCheckpoints(runDirectory).map(({ name }) => name);
  const best = state.bests
    .map(({ epoch, updates }) => checkpointName(epoch, updates))
    .filter((name) => isThere(runDirectory, name));
  const wanted: [kind: string, count: number, names: string[]][] = [
    ['last', config.averageLast, saved.slice(-config.averageLast)],
    ['best', config.averageBest, best.slice(0, config.averageBest)],
  ];
  const made: FinalAverage[] = [];
  for (const [kind, count, names] of wanted) {
    if (count === 0) continue;
    if (names.length < count)
      log.warn(`The ${kind} ${count} checkpoints were to be averaged; found ${names.length}.`);
    if (names.length === 0) continue;
    const folder = path.join(runDirectory, `checkpoint_average_${kind}`);
    const figures = await makeAverage(
      folder,
      selectCheckpoints(runDirectory, { by: 'name', names }),
      options,
    );
    made.push({ folder, count: names.length, figures });
  }
  return made;
}

async function makeAverage(
  folder: string,
  members: readonly SelectedCheckpoint[],
  { model: { config, vocabulary }, score, follows }: FinalAverageOptions,
): Promise<FinalFigures> {
  const before = isAverage(folder) ? readAverage(folder) : undefined;
  if (before?.figures !== undefined && isOf(before, members)) return before.figures;
  const mean = averageWeights(members.map(weightsOf));
  const model = Transformer.fromWeights(config, vocabulary, mean);
  try {
    const figures = await score(model);
    if (!follows) await writeAverage(folder, members, mean, figures);
    return figures;
  } finally {
    model.dispose();
  }
}

function isOf({ checkpoints }: AverageContent, members: readonly SelectedCheckpoint[]): boolean {
  return checkpoints.map(({ name }) => name).join() === members.map(({ name }) => name).join();
}
