import { type ChildProcess, spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import process from 'node:process';
import { setTimeout } from 'node:timers/promises';
import { ExitCode, explainFileError } from '../../common/errors.js';
import { packageRoot } from '../../common/files.js';
import { makeFolder } from '../../common/folders.js';
import { log } from '../../common/log.js';
import { shellLine } from '../../common/shell-words.js';
import { REPORT_FILES, removeReports } from '../../train/doctor/report.js';
import { trainerOf } from '../runs/lock.js';
import type { Cell } from './plan.js';
import type { CellEnd } from './record.js';
import { readTest, translationFile } from './test-text.js';

/** What the processes of a cell say, in its folder. */
export const LOG_FILE = 'train.log';
const FAILURE_START = 'error: ';

/** How a cell ended; `end` is null where it was interrupted. */
export interface CellOutcome {
  readonly end: CellEnd | null;
  readonly message: string | null;
}

const DONE: CellOutcome = { end: 'done', message: null };
const INTERRUPTED: CellOutcome = { end: null, message: null };

/** Runs cells in processes of their own. */
export class CellRunner {
  /** Of the sweep. */
  private readonly folder: string;
  /** For each process; null leaves it to the config. */
  private readonly threads: number | null;
  private readonly children = new Set<ChildProcess>();
  private stopped = false;

  constructor(folder: string, threads: number | null) {
    this.folder = folder;
    this.threads = threads;
  }

  /** Hands a signal on: trainings save and end; a second one ends them at once. */
  signal(signal: 'SIGINT' | 'SIGTERM'): void {
    this.stopped = true;
    for (const child of this.children) child.kill(signal);
  }

  /** Trains a cell, from its beginning or from where it was interrupted. */
  async train({ name, files, sets }: Cell): Promise<CellOutcome> {
    const folder = path.join(this.folder, name);
    try {
      makeFolder(folder);
      fs.rmSync(translationFile(folder), { force: true });
      removeReports(folder);
    } catch (error) {
      throw explainFileError(error, folder);
    }
    await this.waitForTrainer(folder, name);
    const settings = sets.flatMap(({ path: key, value }) => ['--set', `${key}=${value}`]);
    return await this.run(['train', ...files, ...settings], folder);
  }

  /** Translates the test text by the model of a cell. */
  async translate({ name, config }: Cell): Promise<CellOutcome> {
    const folder = path.join(this.folder, name);
    const { sources } = await readTest(config);
    return await this.run(
      ['translate', folder, '--output', translationFile(folder)],
      folder,
      sources.map((line) => `${line}\n`).join(''),
    );
  }

  /** A sweep that was killed may have left trainings running: one that still does is waited for. */
  private async waitForTrainer(folder: string, name: string): Promise<void> {
    const trainer = trainerOf(folder);
    if (trainer !== undefined) log.info(`${name}: waiting for process ${trainer}, which is training it`);
    while (!this.stopped && trainerOf(folder) !== undefined) await setTimeout(500);
  }

  /** Runs the program; what it says goes to the log in the folder. */
  private async run(args: string[], folder: string, input = ''): Promise<CellOutcome> {
    if (this.stopped) return INTERRUPTED;
    const file = path.join(folder, LOG_FILE);
    const logged = fs.openSync(file, 'a');
    try {
      const threads = this.threads === null ? [] : ['--threads', String(this.threads)];
      const command = [...args, ...threads];
      fs.writeSync(logged, `$ admin-nmt ${shellLine(command)}\n`);
      const start = fs.fstatSync(logged).size;
      const code = await this.spawn(command, logged, input);
      if (code === ExitCode.ok) return DONE;
      // A signal that was not ours counts as an interruption, too: the cell can go on.
      if (this.stopped || code === ExitCode.sigint || code === ExitCode.sigterm) return INTERRUPTED;
      const message =
        lastError(fs.readFileSync(file).subarray(start).toString('utf8')) ?? `ended with ${code}`;
      return { end: hasDiverged(folder, message) ? 'diverged' : 'failed', message };
    } finally {
      fs.closeSync(logged);
    }
  }

  /** @returns the exit code, or the signal that ended it */
  private async spawn(
    args: readonly string[],
    output: number,
    input: string,
  ): Promise<number | string | null> {
    const child = spawn(process.execPath, [path.join(packageRoot(), 'bin/admin-nmt.js'), ...args], {
      stdio: ['pipe', output, output],
      // A group of its own: Ctrl-C on a terminal would reach it directly, and once more through us.
      detached: true,
      env: { ...process.env, NO_COLOR: '1' },
    });
    this.children.add(child);
    child.stdin!.on('error', () => {}); // it ended before it had read all
    child.stdin!.end(input);
    try {
      return await new Promise((resolve, reject) => {
        child.on('error', reject);
        child.on('close', (code, signal) => resolve(code ?? signal));
      });
    } finally {
      this.children.delete(child);
    }
  }
}

/** The doctor leaves a report; without it the message tells. */
function hasDiverged(folder: string, message: string): boolean {
  return fs.existsSync(path.join(folder, REPORT_FILES.json)) || message.startsWith('training diverged');
}

/** The last error that a process has told of, without its hints. */
function lastError(text: string): string | undefined {
  return text
    .split('\n')
    .findLast((line) => line.startsWith(FAILURE_START))
    ?.slice(FAILURE_START.length);
}
