import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import process from 'node:process';
import { setTimeout } from 'node:timers/promises';
import { packageRoot, sha256File } from '../src/common/files.js';
import { AS_ROOT, type Launcher, launch } from './ranks-launcher.js';

export interface TinyRun {
  /** Holds config.yaml of the tiny task, and the run. */
  folder: string;
  /** Name of the run directory. */
  run: string;
  threads: number;
  /** More of the command line. */
  flags?: readonly string[];
  /** Milliseconds after which it is killed; without it, it runs to its end. */
  killAfter?: number;
  /** Processes that do it together, by MPI, and which of them is killed. */
  ranks?: { launcher: Launcher; size: number; killed?: number };
  /** A module to load before the program, and what the environment says to it. */
  before?: { module: string; environment: Record<string, string> };
}

/** How a run ended. */
export interface TinyEnd {
  /** The exit code; null where it was killed. */
  code: number | null;
  stderr: string;
}

/** Trains the tiny task by the program, in a process of its own. */
export async function trainTinyRun({
  folder,
  run,
  threads,
  flags = [],
  killAfter,
  ranks,
  before,
}: TinyRun): Promise<TinyEnd> {
  const program = path.join(packageRoot(), 'bin/admin-nmt.js');
  const places = ['--save-dir', run, '--destdir', `data-${run}`];
  const args = [
    program,
    'train',
    'config.yaml',
    ...places,
    '--threads',
    String(threads),
    '--quiet',
    ...flags,
  ];
  const own = [process.execPath, ...(before === undefined ? [] : ['--import', before.module]), ...args];
  const [command, ...rest] = ranks === undefined ? own : [...launch(ranks.launcher, ranks.size), ...own];
  const child = spawn(command, rest, {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...before?.environment, ...AS_ROOT },
  });
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const abort = new AbortController();
  if (killAfter !== undefined) {
    setTimeout(killAfter, undefined, { signal: abort.signal })
      .then(() => (ranks === undefined ? child.kill('SIGKILL') : killRank(run, ranks.killed ?? 0)))
      .catch(() => {}); // it ended before
  }
  const code = await new Promise<number | null>((resolve) => {
    child.on('close', resolve);
  });
  abort.abort();
  return { code, stderr };
}

/** Kills one of the processes of a run, found by what its launcher has told it. */
function killRank(run: string, rank: number): void {
  const tellsRank = new RegExp(`(^|\\0)(OMPI_COMM_WORLD_RANK|PMI_RANK)=${rank}(\\0|$)`);
  for (const id of fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const read = (name: string): string => fs.readFileSync(`/proc/${id}/${name}`, 'latin1');
      const isRun = read('cmdline').includes(`bin/admin-nmt.js\0train\0config.yaml\0--save-dir\0${run}\0`);
      if (isRun && tellsRank.test(read('environ'))) process.kill(Number(id), 'SIGKILL');
    } catch {
      // it has ended meanwhile, or is somebody else's
    }
  }
}

/** Removes a run and its dataset. */
export function removeTinyRun(folder: string, run: string): void {
  for (const name of [run, `data-${run}`])
    fs.rmSync(path.join(folder, name), { recursive: true, force: true });
}

/** What must be the same in two runs that came to their end: bytes, and figures without their timings. */
export function outcomeOf(run: string): Record<string, string> {
  const last = path.join(run, 'checkpoint_last');
  const metrics = fs
    .readFileSync(path.join(run, 'metrics.jsonl'), 'utf8')
    .split('\n')
    .map((line) => line.replaceAll(/"(wall|wps|ups)":[^,}]*|,"(idle|exchange)":[^,}]*/g, ''))
    .join('\n');
  const state = JSON.parse(fs.readFileSync(path.join(last, 'state.json'), 'utf8'));
  state.state.seconds = 0;
  state.state.validatedSeconds = 0;
  state.state.meter.seconds = 0;
  const averages = fs.readdirSync(run).filter((name) => name.startsWith('checkpoint_average_'));
  return {
    weights: sha256File(path.join(last, 'model.safetensors')),
    optimizer: sha256File(path.join(last, 'optimizer.safetensors')),
    ema: sha256File(path.join(last, 'ema.safetensors')),
    state: JSON.stringify(state),
    metrics,
    best: fs.readlinkSync(path.join(run, 'checkpoint_best')),
    averages: averages
      .sort()
      .map((name) => `${name} ${sha256File(path.join(run, name, 'model.safetensors'))}`)
      .join(),
  };
}

/** Names of checkpoints, and of what should not be there once a run has ended. */
export function checkpointsOf(run: string): string {
  return fs
    .readdirSync(run)
    .filter((name) => /^\.|^checkpoint_|lock/.test(name))
    .sort()
    .join();
}
