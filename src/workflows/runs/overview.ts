import { existsSync, statSync } from 'node:fs';
import * as path from 'node:path';
import { explainFileError, userErrorOf } from '../../common/errors.js';
import { median } from '../../common/statistics.js';
import { bestOf, SCORE_NAMES } from '../../common/validation-figures.js';
import { type LoadedConfig, loadRunConfig } from '../../config/load.js';
import { checkRunDirectory, runConfigFile } from '../../config/run-folder.js';
import type { Config } from '../../config/schema.js';
import type { MetricsPoint, RunOverview, RunState } from '../../report/training-run.js';
import { LAST_CHECKPOINT, STATE_FILE } from '../../train/checkpoint-folders.js';
import { REPORT_FILES } from '../../train/doctor/report.js';
import { createSchedule } from '../../train/schedules.js';
import { readStateFile, type TrainState } from '../../train/state.js';
import { stopReason } from '../../train/stopping.js';
import { isTrained } from './lock.js';
import { metricsFile, readMetrics } from './metrics.js';

/** A run directory as it was found, without its weights. */
export interface FoundRun {
  readonly folder: string;
  readonly loaded: LoadedConfig;
  readonly lines: readonly MetricsPoint[];
  readonly overview: RunOverview;
  /** When it was last written to. */
  readonly changed: Date;
}

/**
 * Reads config, metrics and state of a run, which may be under way.
 *
 * @param name what to call it
 * @throws UserError where the folder is no run directory, or its config is of another version
 */
export function openRun(folder: string, name: string): FoundRun {
  checkRunDirectory(folder);
  const loaded = loadRunConfig(folder);
  const lines = readMetrics(folder);
  const changed = lastChange(folder);
  const saved = readSavedState(folder);
  const running = isTrained(folder) ?? seemsAlive(lines, (Date.now() - changed.getTime()) / 1000);
  const givenUp = !running && wasGivenUp(folder, changed);
  const { precision } = loaded.config.train;
  const state = givenUp ? 'diverged' : runState(loaded.config.train, lines, saved, running);
  return { folder, loaded, lines, overview: { name, state, precision, ...figuresOf(lines, saved) }, changed };
}

/** When a run was last written to. */
export function lastChange(folder: string): Date {
  try {
    const file = existsSync(metricsFile(folder)) ? metricsFile(folder) : runConfigFile(folder);
    return statSync(file).mtime;
  } catch (error) {
    throw explainFileError(error, folder);
  }
}

/** Whether the doctor has ended the training, and nothing was written since. */
function wasGivenUp(folder: string, changed: Date): boolean {
  const report = statSync(path.join(folder, REPORT_FILES.json), { throwIfNoEntry: false });
  return report !== undefined && report.mtime >= changed;
}

/** The state of the latest checkpoint; null where there is none to be read. */
function readSavedState(folder: string): TrainState | null {
  try {
    return readStateFile(path.join(folder, LAST_CHECKPOINT, STATE_FILE)).state;
  } catch (error) {
    userErrorOf(error);
    return null;
  }
}

function figuresOf(
  lines: readonly MetricsPoint[],
  saved: TrainState | null,
): Omit<RunOverview, 'name' | 'state' | 'precision'> {
  const of = (event: MetricsPoint['event']) =>
    lines.filter((line) => line.event === event && line.loss !== undefined);
  const [train, valid] = [of('train'), of('valid')];
  const lowest = valid.reduce<MetricsPoint | null>(
    (best, line) => (best === null || line.loss! < best.loss! ? line : best),
    null,
  );
  const bests = SCORE_NAMES.flatMap((name) => {
    const best = bestOf(
      name,
      [...valid, ...(saved?.bests ?? [])].map((line) => line[name]),
    );
    return best === undefined ? [] : [[name, best]];
  });
  const last = lines.at(-1);
  const speeds = train.flatMap(({ wps }) => wps ?? []);
  return {
    updates: Math.max(last?.num_updates ?? 0, saved?.updates ?? 0),
    epoch: last?.epoch ?? (saved?.updates ? saved.epoch : 0),
    seconds: Math.max(last?.wall ?? 0, saved?.seconds ?? 0),
    best:
      lowest === null
        ? (saved?.bests[0] ?? null)
        : { loss: lowest.loss!, updates: lowest.num_updates, epoch: lowest.epoch },
    bestScores: Object.fromEntries(bests),
    trainLoss: train.at(-1)?.loss ?? null,
    validLoss: valid.at(-1)?.loss ?? null,
    speed: speeds.length === 0 ? null : median(speeds),
  };
}

/** What cannot be seen is taken to live while its last line is younger than this, or than a few times the usual wait. */
const FRESH_SECONDS = 120;
const FRESH_WAITS = 5;

/** Whether a training of another machine is likely to go on. @param quiet seconds since the last line */
function seemsAlive(lines: readonly MetricsPoint[], quiet: number): boolean {
  const recent = lines.slice(-20);
  const waits = recent.slice(1).map(({ wall }, i) => wall - recent[i].wall);
  return quiet < Math.max(FRESH_SECONDS, FRESH_WAITS * Math.max(0, ...waits));
}

/**
 * What became of a run.
 *
 * @param saved state of the latest checkpoint
 * @param running whether a process trains it
 */
export function runState(
  config: Config['train'],
  lines: readonly MetricsPoint[],
  saved: TrainState | null,
  running: boolean,
): RunState {
  const later = saved !== null && lines.some(({ num_updates }) => num_updates > saved.updates);
  if (saved !== null && !later && stopReason(config, saved, epochDone(config, saved), createSchedule(config)))
    return 'finished';
  if (running) return 'running';
  if (lines.length === 0 && saved === null) return 'empty';
  return hasDiverged(lines) ? 'diverged' : 'interrupted';
}

/**
 * Whether the checkpoint stands at the end of its epoch, to judge by how many updates those before it had; of the
 * first, by whether it was validated.
 */
function epochDone({ updateFreq }: Config['train'], state: TrainState): boolean {
  const own = Math.ceil(state.position / updateFreq);
  if (state.epoch === 1) return state.validatedAt === state.updates;
  return own >= 0.98 * ((state.updates - own) / (state.epoch - 1));
}

/** Whether the last loss is no number, or higher than the first. */
function hasDiverged(lines: readonly MetricsPoint[]): boolean {
  const train = lines.filter(({ event }) => event === 'train');
  if (train.length < 2) return false;
  const [first, last] = [train[0].loss, train[train.length - 1].loss];
  return last === undefined || (first !== undefined && last > first);
}
