import * as fs from 'node:fs';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkRun } from '../src/workflows/check/check-run.js';
import { FAULT_KINDS, type FaultKind, type FaultPlan } from './fault-layer.js';
import { outcomeOf, removeTinyRun, type TinyEnd, trainTinyRun } from './tiny-run.js';
import { writeTinyTask } from './tiny-task.js';

export interface FaultOptions {
  /** Faults before it ends, a sixth of each kind. */
  faults: number;
  seed: number;
  threads: number;
  /** Of each training; default 60. */
  updates?: number;
  /** That a call fails, of each run in turn: a small one strikes late in a run, a large one early and often. */
  probabilities?: readonly number[];
  onRun?: (line: string) => void;
}

export interface FaultCampaign {
  seed: number;
  runs: number;
  /** Faults by kind. */
  faults: Record<FaultKind, number>;
  /** Runs that came to their end in spite of the faults, and those that gave up with a message (exit 2). */
  ended: number;
  gaveUp: number;
  /** Runs on a disk that lies where `check`, or the program when it went on, found what was lost. */
  found: number;
  problems: string[];
}

/**
 * Trains on a disk that fails now and then, looks at what is left, and goes on without faults: that has to come to the end of
 * an undisturbed run.
 */
export async function faultCampaign(folder: string, options: FaultOptions): Promise<FaultCampaign> {
  const { probabilities = [0.003, 0.01, 0.03] } = options;
  writeTinyTask(folder, options.updates);
  const whole = await trainTinyRun({ folder, run: 'whole', threads: options.threads });
  if (whole.code !== 0) throw new Error(whole.stderr);
  const expected = outcomeOf(path.join(folder, 'whole'));
  const found: FaultCampaign = {
    seed: options.seed,
    runs: 0,
    faults: { full: 0, device: 0, short: 0, sync: 0, rename: 0, lost: 0 },
    ended: 0,
    gaveUp: 0,
    found: 0,
    problems: [],
  };
  const each = Math.ceil(options.faults / FAULT_KINDS.length);
  for (; ; found.runs++) {
    const kind = rarest(found.faults);
    if (found.faults[kind] >= each) return found;
    const name = `run-${found.runs}`;
    const run = path.join(folder, name);
    const log = path.join(folder, 'faults.log');
    fs.writeFileSync(log, '');
    const probability = probabilities[found.runs % probabilities.length];
    const plan: FaultPlan = { kind, seed: options.seed + found.runs, probability, folder, log };
    const faulty = await trainTinyRun({ folder, run: name, threads: options.threads, before: layer(plan) });
    const faults = fs.readFileSync(log, 'utf8').split('\n').length - 1;
    found.faults[kind] += faults;
    const problem = (text: string): void => {
      found.problems.push(`${name}, ${kind}, seed ${plan.seed}: ${text}`);
    };
    if (faulty.code === 0) found.ended++;
    else if (faulty.code === 2) found.gaveUp++;
    else problem(`ended with ${faulty.code}: ${faulty.stderr}`);
    const damaged = damage(run);
    if (damaged.length > 0 && kind !== 'lost') problem(`left ${damaged.join(', ')}`);
    if (damaged.length > 0 && kind === 'lost') found.found++;
    const after = await trainTinyRun({ folder, run: name, threads: options.threads });
    // Only a disk that lies can leave what cannot be gone on from: that has to be said, too.
    if (kind === 'lost' && after.code === 2) found.found++;
    else judgeEnd(after, run, expected, problem);
    options.onRun?.(
      `run ${found.runs}: ${faults} × ${kind}, then ${faulty.code}; ${found.problems.length} problems so far`,
    );
    removeTinyRun(folder, name);
  }
}

/** What no fault may change; which checkpoints there are to average, and the best one, depends on those that were written. */
const COMPARED = ['weights', 'optimizer', 'ema', 'state', 'metrics'] as const;

/** The kind of which there were the fewest. */
function rarest(faults: Record<FaultKind, number>): FaultKind {
  return FAULT_KINDS.reduce((least, kind) => (faults[kind] < faults[least] ? kind : least));
}

function layer(plan: FaultPlan): { module: string; environment: Record<string, string> } {
  const module = fileURLToPath(new URL('./fault-layer.js', import.meta.url));
  return { module, environment: { FAULTS: JSON.stringify(plan) } };
}

/** What `check` finds damaged of the checkpoints of a run and of its metrics. */
function damage(run: string): string[] {
  if (!fs.existsSync(run)) return [];
  return checkRun(run)
    .findings.filter(({ what, verdict }) => verdict === 'damaged' && /checkpoint_|metrics/.test(what))
    .map(({ what, detail }) => `${path.relative(run, what)}: ${detail}`);
}

function judgeEnd(
  { code, stderr }: TinyEnd,
  run: string,
  expected: Record<string, string>,
  problem: (text: string) => void,
): void {
  if (code !== 0) {
    problem(`could not be gone on from: ${code}: ${stderr}`);
    return;
  }
  const outcome = outcomeOf(run);
  for (const what of COMPARED) {
    if (outcome[what] !== expected[what]) problem(`came to another end: ${what}`);
  }
}
