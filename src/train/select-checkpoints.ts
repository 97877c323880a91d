import { existsSync, realpathSync } from 'node:fs';
import * as path from 'node:path';
import { canonicalHash } from '../common/canonical-hash.js';
import { nearest, UserError } from '../common/errors.js';
import { log } from '../common/log.js';
import { FIGURE_NAMES, type FigureName, worthOf } from '../common/validation-figures.js';
import { settingsAt } from './check-origin.js';
import {
  MODEL_FILE,
  type NumberedCheckpoint,
  numberedCheckpoints,
  refuseReduced,
  STATE_FILE,
} from './checkpoint-folders.js';
import { METRICS_FILE, type ReadLine, readMetrics } from './metrics-log.js';
import { changedSettings } from './run-settings.js';
import { type CheckpointOrigin, readStateFile } from './state.js';

/** How many validations a warning names. */
const NAMED = 5;

/** Which checkpoints of a run. */
export type Selection =
  /** The last so many updates that were saved, or epochs, each by its latest checkpoint; none above `upperBound`. */
  | { by: 'update' | 'epoch'; count: number; upperBound?: number }
  /** The best validations. */
  | { by: 'metric'; count: number; metric: string }
  /** Names in the run directory, or paths. */
  | { by: 'name'; names: readonly string[] };

export interface SelectedCheckpoint extends NumberedCheckpoint {
  /** Its path, links resolved. */
  folder: string;
  origin: CheckpointOrigin;
  /** The value of the metric it was selected by. */
  value?: number;
}

/**
 * Finds checkpoints of a run, in the order of their updates.
 *
 * @throws UserError where there are not enough, or one is missing, named twice, of another training, or none
 */
export function selectCheckpoints(runDirectory: string, selection: Selection): SelectedCheckpoint[] {
  const selected = namesOf(runDirectory, selection).map(({ name, value }) => ({
    ...openCheckpoint(runDirectory, name),
    value,
  }));
  checkDifferent(selected);
  for (const checkpoint of selected) checkSameTraining(checkpoint, selected[0]);
  return selected.sort((a, b) => a.updates - b.updates);
}

interface Named {
  name: string;
  value?: number;
}

function namesOf(runDirectory: string, selection: Selection): Named[] {
  switch (selection.by) {
    case 'name':
      return selection.names.map((name) => ({ name }));
    case 'metric':
      return best(runDirectory, selection.metric, selection.count);
    default:
      return last(runDirectory, selection.by, selection.count, selection.upperBound);
  }
}

function last(runDirectory: string, by: 'update' | 'epoch', count: number, upperBound = Infinity): Named[] {
  const key = by === 'update' ? 'updates' : 'epoch';
  const within = numberedCheckpoints(runDirectory).filter((checkpoint) => checkpoint[key] <= upperBound);
  const latest = [...new Map(within.map((checkpoint) => [checkpoint[key], checkpoint])).values()];
  if (latest.length >= count) return latest.slice(-count);
  const bound = upperBound === Infinity ? '' : ` up to ${by} ${upperBound}`;
  throw tooFew(runDirectory, `checkpoints of ${count} ${by}s${bound}`, latest.length);
}

function best(runDirectory: string, metric: string, count: number): Named[] {
  const file = path.join(runDirectory, METRICS_FILE);
  const names = new Map(numberedCheckpoints(runDirectory).map(({ name, updates }) => [updates, name]));
  checkMetric(metric);
  const ranked = validations(file, metric)
    .map((line) => ({ updates: line.num_updates, value: line[metric] as number }))
    .sort((a, b) => worthOf(metric, b.value) - worthOf(metric, a.value));
  const gone: number[] = [];
  const found: Named[] = [];
  for (const { updates, value } of ranked) {
    const name = names.get(updates);
    if (name === undefined) gone.push(updates);
    else found.push({ name, value });
    if (found.length === count) {
      warnOfGone(gone, file);
      return found;
    }
  }
  throw tooFew(runDirectory, `${count} checkpoints that were validated`, found.length);
}

function warnOfGone(updates: readonly number[], file: string): void {
  if (updates.length === 0) return;
  const some = updates.length > NAMED ? `${updates.slice(0, NAMED).join(', ')}, …` : updates.join(', ');
  log.warn(`${file}: better validations have no checkpoint: after ${some} updates (see train.keep-last)`);
}

/** @throws UserError where a validation never has it */
function checkMetric(metric: string): asserts metric is FigureName {
  if ((FIGURE_NAMES as string[]).includes(metric)) return;
  const meant = nearest(metric, FIGURE_NAMES);
  throw new UserError({
    problem: `expected a metric, one of ${FIGURE_NAMES.join(', ')}; found '${metric}'`,
    where: '--metric',
    hint: meant === undefined ? undefined : `Did you mean '${meant}'?`,
  });
}

/** The lines of validations that have a metric. */
function validations(file: string, metric: FigureName): ReadLine[] {
  const lines: ReadLine[] = [];
  for (const line of readMetrics(file)) if (line.event === 'valid') lines.push(line);
  const found = lines.filter((line) => typeof line[metric] === 'number');
  if (found.length > 0) return found;
  const there = FIGURE_NAMES.filter((name) => lines.some((line) => typeof line[name] === 'number'));
  throw new UserError({
    problem: `expected validations with '${metric}', found ${lines.length === 0 ? 'no validation' : `${there.join(', ')}`}`,
    where: file,
    hint:
      lines.length === 0
        ? 'Without validations, take the last checkpoints: --num-update-checkpoints N.'
        : `Take another one, for example --metric ${there[0]}.`,
  });
}

function openCheckpoint(runDirectory: string, name: string): SelectedCheckpoint {
  const place = [path.join(runDirectory, name), name].find((folder) => existsSync(folder));
  if (place !== undefined) refuseReduced(place);
  for (const file of [MODEL_FILE, STATE_FILE]) {
    if (place !== undefined && existsSync(path.join(place, file))) continue;
    throw new UserError({
      problem: `expected a checkpoint of training, found no ${place === undefined ? 'such folder' : file}`,
      where: place ?? path.join(runDirectory, name),
      hint: 'Name checkpoints that training saved (an average is none): checkpoint_<epoch>_<updates>, checkpoint_best, checkpoint_last.',
    });
  }
  const folder = realpathSync(place!);
  const { origin, state } = readStateFile(path.join(folder, STATE_FILE));
  return { name: path.basename(folder), folder, epoch: state.epoch, updates: state.updates, origin };
}

function checkDifferent(selected: readonly SelectedCheckpoint[]): void {
  const folders = selected.map(({ folder }) => folder);
  const twice = folders.find((folder, i) => folders.indexOf(folder) !== i);
  if (twice === undefined) return;
  throw new UserError({
    problem: 'expected different checkpoints, found this one twice',
    where: twice,
    hint: 'checkpoint_best and checkpoint_last are links to numbered ones: name each once.',
  });
}

function checkSameTraining(found: SelectedCheckpoint, expected: SelectedCheckpoint): void {
  if (isSameTraining(found, expected)) return;
  throw new UserError({
    problem: `expected a checkpoint of the same training as ${expected.folder}, found one of another config, dataset or vocabulary`,
    where: path.join(found.folder, STATE_FILE),
    hint: 'Average checkpoints of one run.',
  });
}

/** Within one run nothing else can be, whatever was changed on the way. */
function isSameTraining(a: SelectedCheckpoint, b: SelectedCheckpoint): boolean {
  if (path.dirname(a.folder) === path.dirname(b.folder)) return true;
  const [one, other] = [a, b].map(({ origin: { vocabulary, dataHash } }) =>
    canonicalHash({ vocabulary, dataHash }),
  );
  const changes = changedSettings(settingsAt(a.folder, a.origin), settingsAt(b.folder, b.origin));
  return one === other && changes.every(({ changeable }) => changeable);
}

function tooFew(runDirectory: string, expected: string, found: number): UserError {
  return new UserError({
    problem: `expected ${expected}, found ${found}`,
    where: runDirectory,
    hint: 'Ask for fewer. To have more at the next training, raise train.keep-last (0 keeps all) or save more often.',
  });
}
