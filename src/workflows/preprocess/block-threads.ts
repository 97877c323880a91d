import { statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { type Complaint, UserError } from '../../common/errors.js';
import type { PairBytes } from '../../data/pair-bytes.js';

/** A thread with less text than this is not worth its start, of about a tenth of a second. */
const LEAST_BYTES = 2 ** 21;
/** Blocks that a thread has to do: while the answer to one is read, it works on another. */
const BLOCKS_PER_THREAD = 3;

/** What a thread answers to each block, in their order. */
export type ThreadAnswer<Result> = { result: Result } | { complaints: readonly Complaint[] };

/**
 * How many threads a text is worth.
 *
 * @param most by default as many as this process may use
 */
export function threadsFor(files: readonly string[], most: number | null): number {
  const bytes = files.reduce((sum, file) => sum + statSync(file).size, 0);
  return Math.max(1, Math.min(most ?? availableParallelism(), Math.floor(bytes / LEAST_BYTES)));
}

/** Threads that take blocks in turn; this one reads and writes meanwhile. */
export class BlockThreads<Result> {
  /** Blocks to give them before the first is done. */
  readonly width: number;
  private readonly threads: readonly BlockThread<Result>[];
  private next = 0;

  /** @param setup what each thread is given first */
  constructor(file: URL, setup: unknown, count: number) {
    this.threads = Array.from({ length: count }, () => new BlockThread<Result>(file, setup));
    this.width = count * BLOCKS_PER_THREAD;
  }

  /** @throws UserError that the thread found */
  work(block: PairBytes): Promise<Result> {
    const thread = this.threads[this.next];
    this.next = (this.next + 1) % this.threads.length;
    return thread.work(block);
  }

  /** What each of them answers to there being no more blocks. */
  finish(): Promise<Result[]> {
    return Promise.all(this.threads.map((thread) => thread.work([])));
  }

  /** Ends the threads, whatever they are at. */
  async close(): Promise<void> {
    await Promise.all(this.threads.map((thread) => thread.close()));
  }
}

interface Waiting<Result> {
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

class BlockThread<Result> {
  private readonly worker: Worker;
  private readonly waiting: Waiting<Result>[] = [];
  private failure: { error: unknown } | undefined;

  constructor(file: URL, setup: unknown) {
    this.worker = new Worker(file, { workerData: setup });
    this.worker
      .on('message', (answer: ThreadAnswer<Result>) => this.hear(answer))
      .on('error', (error) => this.fail(error))
      .on('exit', (code) => this.fail(new Error(`a thread of preprocess ended with code ${code}`)));
  }

  work(block: PairBytes): Promise<Result> {
    return new Promise((resolve, reject) => {
      if (this.failure !== undefined) return reject(this.failure.error);
      this.waiting.push({ resolve, reject });
      this.worker.postMessage(
        block,
        block.map(({ bytes }) => bytes.buffer as ArrayBuffer),
      );
    });
  }

  async close(): Promise<void> {
    await this.worker.terminate();
  }

  private hear(answer: ThreadAnswer<Result>): void {
    const { resolve, reject } = this.waiting.shift()!;
    if ('result' in answer) resolve(answer.result);
    else reject(new UserError(answer.complaints));
  }

  private fail(error: unknown): void {
    this.failure ??= { error };
    for (const { reject } of this.waiting.splice(0)) reject(error);
  }
}
