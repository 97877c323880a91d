import * as fs from 'node:fs';
import * as path from 'node:path';
import { Purpose, RandomStream } from '../src/common/rng.js';
import type { Launcher } from './ranks-launcher.js';
import { checkpointsOf, outcomeOf, removeTinyRun, trainTinyRun } from './tiny-run.js';
import { writeTinyTask } from './tiny-task.js';

/** Batches of an update, of all ranks. */
const PLACES = 4;

export interface RanksOptions {
  launcher: Launcher;
  /** Numbers of ranks, which share the batches of an update out. */
  sizes: readonly number[];
  /** Kills of one rank before it ends. */
  kills: number;
  seed: number;
  /** Of each training. */
  updates: number;
  /** Of `train`, for all runs. */
  flags?: readonly string[];
  onRun?: (line: string) => void;
}

/** What came of it. */
export interface RanksCampaign {
  /** By ranks × update-freq: SHA-256 of weights, moments and moving average, shortened. */
  table: Record<string, string>;
  /** Seconds from a kill to the end of all ranks, the longest. */
  longestEnding: number;
  kills: number;
  runs: number;
  /** What differed from one process that nobody disturbed. */
  differences: string[];
}

/**
 * Trains the tiny task in one process and in several, which have to come to the same bits; then with kill -9 of one rank
 * at random moments, each time going on with another number of ranks.
 */
export async function ranksCampaign(folder: string, options: RanksOptions): Promise<RanksCampaign> {
  const { launcher, sizes, kills, seed, flags = [], onRun } = options;
  const random = new RandomStream({ seed, step: 0, purpose: Purpose.test });
  writeTinyTask(folder, options.updates);
  const found: RanksCampaign = { table: {}, longestEnding: 0, kills: 0, runs: 0, differences: [] };
  const train = (run: string, size: number, kill?: { after: number; rank: number }) =>
    trainTinyRun({
      ...{ folder, run, threads: 1, killAfter: kill?.after },
      flags: [...flags, '--update-freq', `${PLACES / size}`],
      ranks: size === 1 ? undefined : { launcher, size, killed: kill?.rank },
    });
  const compare = (run: string, expected: Record<string, string>): void => {
    const outcome = endOf(path.join(folder, run));
    for (const [what, value] of Object.entries(expected))
      if (outcome[what] !== value) found.differences.push(`${run}: ${what}`);
  };
  await ends(train('one', 1));
  const expected = endOf(path.join(folder, 'one'));
  found.table[`1 × ${PLACES}`] = hashesOf(expected);
  let length = 0;
  for (const size of sizes) {
    const started = performance.now();
    await ends(train(`of-${size}`, size));
    length = performance.now() - started;
    compare(`of-${size}`, expected);
    found.table[`${size} × ${PLACES / size}`] = hashesOf(endOf(path.join(folder, `of-${size}`)));
    onRun?.(`${size} ranks: ${found.differences.length} differences`);
  }
  while (found.kills < kills) {
    const run = `run-${found.runs}`;
    for (let ended = false; !ended; ) {
      const size = sizes[Math.floor(random.nextUniform() * sizes.length)];
      const last = found.kills >= kills;
      const kill = last
        ? undefined
        : { after: random.nextUniform() * length, rank: Math.floor(random.nextUniform() * size) };
      const started = performance.now();
      const { code, stderr } = await train(run, size, kill);
      ended = code === 0;
      if (ended) continue;
      if (kill === undefined) throw new Error(`training in ${run} ended with ${code}: ${stderr}`);
      const ending = (performance.now() - started - kill.after) / 1000;
      found.longestEnding = Math.max(found.longestEnding, ending);
      found.kills++;
    }
    found.runs++;
    compare(run, expected);
    onRun?.(`${run}: ${found.kills} kills so far, ${found.differences.length} differences`);
    removeTinyRun(folder, run);
  }
  return found;
}

async function ends(training: ReturnType<typeof trainTinyRun>): Promise<void> {
  const { code, stderr } = await training;
  if (code !== 0) throw new Error(`training ended with ${code}: ${stderr}`);
}

function endOf(run: string): Record<string, string> {
  if (!fs.existsSync(path.join(run, 'checkpoint_last'))) return {};
  return { ...outcomeOf(run), checkpoints: checkpointsOf(run) };
}

const hashesOf = ({ weights = '', optimizer = '', ema = '' }: Record<string, string>): string =>
  [weights, optimizer, ema].map((hash) => hash.slice(0, 12)).join(' ');
