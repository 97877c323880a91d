import { type ChildProcess, fork } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import process from 'node:process';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { UserError } from '../src/common/errors.js';
import { log } from '../src/common/log.js';
import { check } from '../src/workflows/check/check.js';
import { importCheckpoint } from '../src/workflows/exchange/import.js';
import { importMarian } from '../src/workflows/exchange/import-marian.js';
import { writeMutant } from './import-mutants.js';

/**
 * npm run fuzz:import -- [--count 20000] [--seed 1] [--first 0]
 *
 * Imports checkpoints that are damaged, altered or made to harm, end to end, in a process of little memory. Each is
 * imported, and then found whole by `check`, or refused with exit code 2, and leaves nothing. Anything else is a fault:
 * another error, a process that ends, five seconds of work, a gibibyte of memory.
 */

/** Seconds of work that a mutant may take: of the processor, since the machine may have other things to do. */
const MOST_SECONDS = 5;
/** After that long by the clock it is given up. */
const MOST_WAITING = 120_000;
const MOST_MEMORY = 1024;
const HEAP_MEGABYTES = 512;

/** What became of a mutant. */
interface Answer {
  outcome: 'imported' | 'refused' | 'fault';
  kind: string;
  /** Of a fault. */
  message?: string;
  seconds: number;
  /** Most memory of the process so far, MiB. */
  memory: number;
}

export interface FuzzReport {
  count: number;
  /** By kind of mutant. */
  outcomes: Record<string, { imported: number; refused: number; fault: number }>;
  faults: string[];
  /** Of processor time, of the slowest. */
  seconds: number;
  /** MiB. */
  memory: number;
}

/** Imports one mutant. */
export async function tryMutant(folder: string, seed: number, index: number): Promise<Answer> {
  fs.rmSync(folder, { recursive: true, force: true });
  const { kind, checkpoint, dataBin } = writeMutant(folder, seed, index);
  const before = process.cpuUsage();
  const output = path.join(folder, 'run');
  let [outcome, message]: [Answer['outcome'], string | undefined] = ['imported', undefined];
  try {
    if (checkpoint.endsWith('.npz')) {
      const vocabs = [path.join(dataBin, 'vocab.yml')];
      await importMarian(checkpoint, { output, vocabs, sourceLang: 'de', targetLang: 'en' });
    } else await importCheckpoint(checkpoint, { output, dataBin });
    const damaged = check(output).findings.filter(({ verdict }) => verdict === 'damaged');
    if (damaged.length > 0) [outcome, message] = ['fault', `check: ${damaged[0].what}: ${damaged[0].detail}`];
  } catch (error) {
    outcome = error instanceof UserError ? 'refused' : 'fault';
    if (outcome === 'fault') message = (error as Error).stack;
    else if (fs.readdirSync(folder).sort().join() !== `data,${path.basename(checkpoint)}`)
      [outcome, message] = ['fault', 'something is left'];
  }
  const { user, system } = process.cpuUsage(before);
  const memory = process.resourceUsage().maxRSS / 1024;
  return { outcome, kind, message, seconds: (user + system) / 1e6, memory };
}

/** Imports `count` mutants, from number `first` on, in a process that is started anew when it ends. */
export async function fuzzImport(
  { count, seed, first = 0 }: { count: number; seed: number; first?: number },
  onFault: (line: string) => void = () => {},
): Promise<FuzzReport> {
  const folder = fs.mkdtempSync(path.join(tmpdir(), 'admin-nmt-fuzz-'));
  const report: FuzzReport = { count, outcomes: {}, faults: [], seconds: 0, memory: 0 };
  let worker: ChildProcess | undefined;
  try {
    for (let index = first; index < first + count; index++) {
      worker ??= startWorker(path.join(folder, 'work'), seed);
      const { answer, alive } = await ask(worker, index);
      if (!alive) worker = undefined;
      const fault = judge(answer);
      report.outcomes[answer.kind] ??= { imported: 0, refused: 0, fault: 0 };
      report.outcomes[answer.kind][fault === undefined ? answer.outcome : 'fault']++;
      report.seconds = Math.max(report.seconds, answer.seconds);
      report.memory = Math.max(report.memory, answer.memory);
      if (fault === undefined) continue;
      report.faults.push(`mutant ${index} of seed ${seed}, ${answer.kind}: ${fault}`);
      onFault(report.faults.at(-1)!);
    }
    return report;
  } finally {
    worker?.kill('SIGKILL');
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

function judge({ outcome, message, seconds, memory }: Answer): string | undefined {
  if (outcome === 'fault') return message;
  if (seconds > MOST_SECONDS) return `it took ${seconds.toFixed(1)} s`;
  return memory > MOST_MEMORY ? `the process had ${memory.toFixed(0)} MiB` : undefined;
}

function startWorker(folder: string, seed: number): ChildProcess {
  return fork(fileURLToPath(import.meta.url), [folder, String(seed)], {
    execArgv: [`--max-old-space-size=${HEAP_MEGABYTES}`],
    env: { ...process.env, FUZZ_IMPORT_WORKER: '1' },
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
}

/** Has the worker try a mutant. One that ends, or says nothing for long, is alive no more. */
function ask(worker: ChildProcess, index: number): Promise<{ answer: Answer; alive: boolean }> {
  return new Promise((resolve) => {
    const finish = (answer: Answer, alive: boolean): void => {
      clearTimeout(timer);
      worker.removeAllListeners();
      if (!alive) worker.kill('SIGKILL');
      resolve({ answer, alive });
    };
    const dead = (message: string): void =>
      finish({ outcome: 'fault', kind: 'unknown', message, seconds: 0, memory: 0 }, false);
    const timer = setTimeout(() => dead(`no answer in ${MOST_WAITING / 1000} s`), MOST_WAITING);
    worker.once('message', (answer: Answer) => finish(answer, true));
    worker.once('exit', (code, signal) => dead(`the process ended: ${code ?? signal}`));
    worker.send(index);
  });
}

function work([folder, seed]: readonly string[]): void {
  log.setQuiet(true);
  process.on('message', async (index: number) => {
    process.send!(await tryMutant(folder, Number(seed), index));
  });
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      count: { type: 'string', default: '20000' },
      seed: { type: 'string', default: '1' },
      first: { type: 'string', default: '0' },
    },
  });
  const [count, seed, first] = [values.count, values.seed, values.first].map(Number);
  const report = await fuzzImport({ count, seed, first }, (line) => console.error(line));
  console.table(report.outcomes);
  console.log(
    `${count} mutants of seed ${seed}: ${report.faults.length} faults; the slowest took ${report.seconds.toFixed(2)} s, the process at most ${report.memory.toFixed(0)} MiB`,
  );
  if (report.faults.length > 0) process.exitCode = 1;
}

if (process.env.FUZZ_IMPORT_WORKER === '1') work(process.argv.slice(2));
else if (
  process.argv[1] !== undefined &&
  import.meta.url === pathToFileURL(fs.realpathSync(process.argv[1])).href
)
  await main();
