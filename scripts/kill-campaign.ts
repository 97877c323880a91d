import * as fs from 'node:fs';
import * as path from 'node:path';
import { Purpose, RandomStream } from '../src/common/rng.js';
import { checkpointsOf, outcomeOf, removeTinyRun, trainTinyRun } from './tiny-run.js';
import { writeTinyTask } from './tiny-task.js';

export interface KillOptions {
  /** Kills before it ends. */
  kills: number;
  seed: number;
  threads: number;
  /** Of each training; default 60. */
  updates?: number;
  /** Of `train`, for all runs. */
  flags?: readonly string[];
  onRun?: (line: string) => void;
}

/** What came of it. */
export interface Campaign {
  seed: number;
  kills: number;
  /** Runs that were killed on their way and came to their end. */
  runs: number;
  /** Kills before there was a checkpoint to go on from. */
  beforeFirstCheckpoint: number;
  /** What differed from the run that nobody disturbed. */
  differences: string[];
}

/** Trains with kill -9 at random moments, until there were so many, and compares every end with an undisturbed one. */
export async function killCampaign(folder: string, options: KillOptions): Promise<Campaign> {
  const random = new RandomStream({ seed: options.seed, step: 0, purpose: Purpose.test });
  writeTinyTask(folder, options.updates);
  let length = await timed(() => train(folder, 'whole', options, undefined));
  const expected = endOf(path.join(folder, 'whole'));
  const found: Campaign = {
    seed: options.seed,
    kills: 0,
    runs: 0,
    beforeFirstCheckpoint: 0,
    differences: [],
  };
  while (found.kills < options.kills) {
    const run = path.join(folder, `run-${found.runs}`);
    let ended = false;
    for (let attempt = 0; !ended; attempt++) {
      const moment = found.kills < options.kills ? random.nextUniform() * length : undefined;
      const taken = await timed(async () => {
        ended = await train(folder, path.basename(run), options, moment);
      });
      // A machine that has been busy before may be faster now.
      if (ended && attempt === 0) length = Math.min(length, taken);
      if (ended) continue;
      found.kills++;
      if (!fs.existsSync(path.join(run, 'checkpoint_last'))) found.beforeFirstCheckpoint++;
    }
    found.runs++;
    const outcome = endOf(run);
    for (const [what, value] of Object.entries(expected)) {
      if (outcome[what] !== value) found.differences.push(`run ${found.runs}: ${what}`);
    }
    options.onRun?.(
      `run ${found.runs}: ${found.kills} kills so far, ${found.differences.length} differences`,
    );
    removeTinyRun(folder, path.basename(run));
  }
  return found;
}

/** Milliseconds that something takes. */
async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

/** @param killAfter see TinyRun. @returns whether it came to its end */
async function train(
  folder: string,
  run: string,
  { threads, flags }: KillOptions,
  killAfter: number | undefined,
): Promise<boolean> {
  const { code, stderr } = await trainTinyRun({ folder, run, threads, flags, killAfter });
  if (code === null) return false;
  if (code === 0) return true;
  throw new Error(`training in ${run} ended with ${code}: ${stderr}`);
}

function endOf(run: string): Record<string, string> {
  return { ...outcomeOf(run), checkpoints: checkpointsOf(run) };
}
