import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import process from 'node:process';
import { setTimeout } from 'node:timers/promises';
import { packageRoot, sha256File } from '../src/common/files.js';
import { Purpose, RandomStream } from '../src/common/rng.js';
import { writeTinyTask } from './tiny-task.js';

export interface KillOptions {
  /** Kills before it ends. */
  kills: number;
  seed: number;
  threads: number;
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
  writeTinyTask(folder);
  let length = await timed(() => train(folder, 'whole', options, undefined));
  const expected = outcomeOf(path.join(folder, 'whole'));
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
    const outcome = outcomeOf(run);
    for (const [what, value] of Object.entries(expected)) {
      if (outcome[what] !== value) found.differences.push(`run ${found.runs}: ${what}`);
    }
    options.onRun?.(
      `run ${found.runs}: ${found.kills} kills so far, ${found.differences.length} differences`,
    );
    fs.rmSync(run, { recursive: true });
    fs.rmSync(path.join(folder, `data-${path.basename(run)}`), { recursive: true });
  }
  return found;
}

/** Milliseconds that something takes. */
async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

/** @param moment milliseconds after which it is killed; undefined lets it run. @returns whether it came to its end */
async function train(
  folder: string,
  run: string,
  { threads }: KillOptions,
  moment: number | undefined,
): Promise<boolean> {
  const program = path.join(packageRoot(), 'bin/admin-nmt.js');
  const places = ['--save-dir', run, '--destdir', `data-${run}`];
  const args = [program, 'train', 'config.yaml', ...places, '--threads', String(threads), '--quiet'];
  const child = spawn(process.execPath, args, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const abort = new AbortController();
  if (moment !== undefined) {
    setTimeout(moment, undefined, { signal: abort.signal })
      .then(() => child.kill('SIGKILL'))
      .catch(() => {}); // it ended before
  }
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve) => {
    child.on('close', (...ended) => resolve(ended));
  });
  abort.abort();
  if (signal === 'SIGKILL') return false;
  if (code === 0) return true;
  throw new Error(`training in ${run} ended with ${code}: ${stderr}`);
}

/** The bytes that must be the same, and the metrics without their timings. */
function outcomeOf(run: string): Record<string, string> {
  const last = path.join(run, 'checkpoint_last');
  const metrics = fs
    .readFileSync(path.join(run, 'metrics.jsonl'), 'utf8')
    .split('\n')
    .map((line) => line.replaceAll(/"(wall|wps|ups)":[^,}]*/g, ''))
    .join('\n');
  const state = JSON.parse(fs.readFileSync(path.join(last, 'state.json'), 'utf8'));
  state.state.seconds = 0;
  state.state.validatedSeconds = 0;
  state.state.meter.seconds = 0;
  return {
    weights: sha256File(path.join(last, 'model.safetensors')),
    optimizer: sha256File(path.join(last, 'optimizer.safetensors')),
    state: JSON.stringify(state),
    metrics,
    best: fs.readlinkSync(path.join(run, 'checkpoint_best')),
    checkpoints: fs
      .readdirSync(run)
      .filter((name) => /^\.|^checkpoint_|lock/.test(name))
      .sort()
      .join(),
  };
}
