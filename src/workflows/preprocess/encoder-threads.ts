import { statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { type Complaint, UserError } from '../../common/errors.js';
import type { PairBytes } from '../../data/pair-bytes.js';
import type { EncodedPairs, EncoderOptions } from '../../data/pair-encoder.js';
import { type BlockEncoder, type EncoderSetup, encodeHere } from '../../data/preprocess-options.js';

/** A thread with less text than this is not worth its start, of about a tenth of a second. */
const LEAST_BYTES = 2 ** 21;
/** Blocks that a thread has to do: while the answer to one is read, it works on another. */
const BLOCKS_PER_THREAD = 3;

/** What a thread is given first. */
export interface ThreadSetup {
  /** Of source and target; the target has none where it is that of the source. */
  readonly models: readonly [Uint8Array, Uint8Array?];
  readonly numbers: readonly Int32Array[];
  /** The bytes of each dict.txt, where numbers are those of a given dictionary. */
  readonly dictionaries: readonly (Uint8Array | undefined)[];
  readonly options: EncoderOptions;
}

/** What a thread answers to each block, in their order. */
export type ThreadAnswer = { encoded: EncodedPairs } | { complaints: readonly Complaint[] };

/**
 * Encodes on as many threads as the text is worth.
 *
 * @param most threads; by default as many as this process may use
 */
export function startEncoder(setup: EncoderSetup, most: number | null): BlockEncoder {
  const bytes = setup.files.reduce((sum, file) => sum + statSync(file).size, 0);
  const threads = Math.min(most ?? availableParallelism(), Math.floor(bytes / LEAST_BYTES));
  return threads > 1 ? new EncoderThreads(setup, threads) : encodeHere(setup);
}

/** Threads that encode in turn. This one reads, writes, and looks for duplicates meanwhile. */
export class EncoderThreads implements BlockEncoder {
  readonly width: number;
  private readonly threads: readonly EncoderThread[];
  private next = 0;

  constructor({ sides, options }: EncoderSetup, count: number) {
    const [source, target] = sides;
    const bytes = source.model.serialize();
    const setup: ThreadSetup = {
      models: source.model === target.model ? [bytes] : [bytes, target.model.serialize()],
      numbers: sides.map(({ numbering }) => numbering.numbers),
      dictionaries: sides.map(({ numbering: { given } }) => given && Buffer.from(given.serialize())),
      options,
    };
    this.threads = Array.from({ length: count }, () => new EncoderThread(setup));
    this.width = count * BLOCKS_PER_THREAD;
  }

  encode(block: PairBytes): Promise<EncodedPairs> {
    const thread = this.threads[this.next];
    this.next = (this.next + 1) % this.threads.length;
    return thread.encode(block);
  }

  async close(): Promise<void> {
    await Promise.all(this.threads.map((thread) => thread.close()));
  }
}

interface Waiting {
  readonly resolve: (encoded: EncodedPairs) => void;
  readonly reject: (error: unknown) => void;
}

class EncoderThread {
  private readonly worker: Worker;
  private readonly waiting: Waiting[] = [];
  private failure: { error: unknown } | undefined;

  constructor(setup: ThreadSetup) {
    this.worker = new Worker(new URL('./encoder-worker.js', import.meta.url), { workerData: setup });
    this.worker
      .on('message', (answer: ThreadAnswer) => this.hear(answer))
      .on('error', (error) => this.fail(error))
      .on('exit', (code) => this.fail(new Error(`a thread of preprocess ended with code ${code}`)));
  }

  encode(block: PairBytes): Promise<EncodedPairs> {
    return new Promise((resolve, reject) => {
      if (this.failure !== undefined) return reject(this.failure.error);
      this.waiting.push({ resolve, reject });
      this.worker.postMessage(block, [...new Set(block.map(({ bytes }) => bytes.buffer as ArrayBuffer))]);
    });
  }

  async close(): Promise<void> {
    await this.worker.terminate();
  }

  private hear(answer: ThreadAnswer): void {
    const { resolve, reject } = this.waiting.shift()!;
    if ('encoded' in answer) resolve(answer.encoded);
    else reject(new UserError(answer.complaints));
  }

  private fail(error: unknown): void {
    this.failure ??= { error };
    for (const { reject } of this.waiting.splice(0)) reject(error);
  }
}
