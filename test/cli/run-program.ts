import { spawnSync } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { MessageChannel, receiveMessageOnPort, Worker } from 'node:worker_threads';

/** What a run of the program came to. */
export interface Outcome {
  status: number | null;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  cwd?: string;
  input?: string;
  env?: NodeJS.ProcessEnv;
}

/** What the process that runs command lines is sent. */
export interface Request extends Required<RunOptions> {
  args: readonly string[];
}

/** The program compiled together with these tests. */
export const mainFile = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));

/** The environment without what changes messages. */
const { NO_COLOR, FORCE_COLOR, DEBUG, SACREBLEU_FORMAT, ...plainEnvironment } = process.env;

/** Milliseconds; a run that takes longer hangs. */
const LONGEST = 300_000;
/** Milliseconds for the process to end in: with coverage it has something to write. */
const LAST = 10_000;

let calls:
  | { worker: Worker; signal: Int32Array; port: import('node:worker_threads').MessagePort }
  | undefined;

/**
 * Runs a command line, in one process for all those of a test file: to start the program takes longer than most of
 * its work. It is no terminal that it writes to. What is about a process – its end, signals, threads, memory – is for spawnProgram.
 */
export function runProgram(args: readonly string[], options: RunOptions = {}): Outcome {
  calls ??= startWarm();
  const { signal, port } = calls;
  const request: Request = {
    args,
    cwd: options.cwd ?? process.cwd(),
    input: options.input ?? '',
    env: { ...plainEnvironment, ...options.env },
  };
  port.postMessage(request);
  if (Atomics.wait(signal, 0, 0, LONGEST) === 'timed-out') throw new Error(`${args.join(' ')}: no end`);
  Atomics.store(signal, 0, 0);
  return receiveMessageOnPort(port)!.message;
}

/** Starts the process, and the thread that waits for its answers. */
function startWarm(): NonNullable<typeof calls> {
  const signal = new Int32Array(new SharedArrayBuffer(4));
  const { port1, port2 } = new MessageChannel();
  const worker = new Worker(new URL('./warm-program-thread.js', import.meta.url), {
    workerData: { signal, port: port2, env: plainEnvironment },
    transferList: [port2],
  });
  worker.unref();
  port1.unref();
  process.once('exit', () => {
    port1.postMessage('end');
    Atomics.wait(signal, 0, 0, LAST);
  });
  return { worker, signal, port: port1 };
}

/** Runs the program in a process of its own. */
export function spawnProgram(args: readonly string[], options: RunOptions = {}): Outcome {
  return runNode([mainFile, ...args], options);
}

/** Runs a few lines of an ES module in a process of its own. */
export function runModule(source: string): Outcome {
  return runNode(['--input-type=module', '--eval', source], {});
}

function runNode(args: readonly string[], { env, ...options }: RunOptions): Outcome {
  const { status, stdout, stderr, error } = spawnSync(process.execPath, args, {
    encoding: 'utf8',
    env: { ...plainEnvironment, ...env },
    ...options,
  });
  if (error !== undefined) throw error;
  return { status, stdout, stderr };
}
