import { existsSync } from 'node:fs';
import * as path from 'node:path';
import { UserError } from '../common/errors.js';
import { log } from '../common/log.js';
import { checkRunDirectory } from '../config/run-folder.js';
import { isAverage, writeAverage } from '../train/average.js';
import { isReservedName } from '../train/checkpoint-folders.js';
import { type SelectedCheckpoint, type Selection, selectCheckpoints } from '../train/select-checkpoints.js';

/** The flags as they are typed. */
export interface AverageFlags {
  numEpochCheckpoints?: string;
  numUpdateCheckpoints?: string;
  checkpointUpperBound?: string;
  best?: string;
  metric?: string;
  inputs?: string[];
  output?: string;
  overwrite?: boolean;
}

/**
 * `admin-nmt average`: checkpoints of a run → their mean, a checkpoint to translate with.
 *
 * @param run a run directory
 * @throws UserError for what the user can mend; nothing is then written
 */
export async function average(run: string, flags: AverageFlags): Promise<void> {
  const selection = selectionOf(flags);
  checkRunDirectory(run);
  const checkpoints = selectCheckpoints(run, selection);
  const output = flags.output ?? `checkpoint_average_${checkpoints.length}`;
  checkOutput(run, output, flags.overwrite === true);
  for (const checkpoint of checkpoints) log.info(describe(checkpoint, flags.metric));
  const folder = path.join(run, output);
  await writeAverage(folder, checkpoints);
  log.info(`Model: ${folder} (the mean of ${checkpoints.length})`);
  log.info(`To translate: admin-nmt translate ${run} --checkpoint ${output} --input FILE`);
}

function describe({ name, epoch, updates, value }: SelectedCheckpoint, metric = 'loss'): string {
  const worth = value === undefined ? '' : `, valid ${metric} ${value.toFixed(3)}`;
  return `${name}: epoch ${epoch}, ${updates} updates${worth}`;
}

/** The ways to say which checkpoints; fairseq's spellings where it has them. */
const WAYS = '--num-epoch-checkpoints N, --num-update-checkpoints N, --best N or --inputs NAME…';

function selectionOf(flags: AverageFlags): Selection {
  const { numEpochCheckpoints, numUpdateCheckpoints, best, inputs, metric } = flags;
  const last = { by: 'epoch', typed: numEpochCheckpoints, flag: '--num-epoch-checkpoints' } as const;
  const lastUpdates = {
    by: 'update',
    typed: numUpdateCheckpoints,
    flag: '--num-update-checkpoints',
  } as const;
  const bounded = [last, lastUpdates].find(({ typed }) => typed !== undefined);
  const given = [numEpochCheckpoints, numUpdateCheckpoints, best, inputs].filter((way) => way !== undefined);
  if (given.length !== 1) {
    throw new UserError({
      problem: `expected one way to choose checkpoints, found ${given.length === 0 ? 'none' : given.length}`,
      where: 'average',
      hint: `Give one of ${WAYS}.`,
    });
  }
  const upperBound = whole('--checkpoint-upper-bound', flags.checkpointUpperBound);
  if (upperBound !== undefined && bounded === undefined) {
    throw misplaced('--checkpoint-upper-bound', '--num-epoch-checkpoints or --num-update-checkpoints');
  }
  if (metric !== undefined && best === undefined) throw misplaced('--metric', '--best');
  if (inputs !== undefined) return { by: 'name', names: inputs };
  if (bounded === undefined) return { by: 'metric', count: whole('--best', best)!, metric: metric ?? 'loss' };
  return { by: bounded.by, count: whole(bounded.flag, bounded.typed)!, upperBound };
}

function misplaced(flag: string, partner: string): UserError {
  return new UserError({
    problem: `expected it beside ${partner}, found it alone`,
    where: flag,
    hint: `Leave it out, or choose checkpoints by ${partner}.`,
  });
}

function whole(flag: string, typed: string | undefined): number | undefined {
  if (typed === undefined) return undefined;
  const value = /^\d+$/.test(typed) ? Number(typed) : 0;
  if (value >= 1 && Number.isSafeInteger(value)) return value;
  throw new UserError({ problem: `expected a whole number of at least 1, found '${typed}'`, where: flag });
}

function checkOutput(run: string, name: string, overwrite: boolean): void {
  const place = path.join(run, name);
  const refuse = (problem: string, hint: string): UserError => new UserError({ problem, where: place, hint });
  if (name !== path.basename(name) || ['', '.', '..'].includes(name)) {
    throw refuse('expected a name for the average, found a path', 'It goes into the run directory.');
  }
  if (isReservedName(name)) {
    throw refuse(
      'expected a name for the average, found one that training uses',
      'train would take it for its own: choose another, for example checkpoint_average.',
    );
  }
  if (!existsSync(place)) return;
  if (!isAverage(place)) {
    throw refuse('something that is no average is in the way', 'Choose another name with --output.');
  }
  if (!overwrite) {
    throw refuse('the average is there already', 'Choose another name with --output, or give --overwrite.');
  }
}
