import { Worker } from 'node:worker_threads';
import { type Complaint, UserError } from '../common/errors.js';
import type { IncrementalDecoder } from '../model/incremental.js';
import type { SharedDecoder } from '../model/shared-decoder.js';
import type { LaneListener, OpenLane } from './continuous-search.js';
import type { GivenSentence } from './inbox.js';
import type { BatchLimits } from './length-batches.js';
import type { Hypothesis, SearchOptions } from './search.js';
import { searchOptions, type Wishes } from './search-options.js';
import { type QueueParts, SentenceQueue, searchQueue } from './sentence-queue.js';
import type { ShortlistParts } from './shortlist.js';

/** What a thread is given first. */
export interface StreamData {
  shared: SharedDecoder;
  shortlist: ShortlistParts | null;
}

/** Sentences for a thread, among others that take of them. */
export interface StreamJob {
  queue: QueueParts;
  options: SearchOptions & BatchLimits;
  wishes?: readonly Wishes[];
}

/** Sentences for a lane of a thread, which takes them as they come; the first time with how it translates. */
export interface StreamSentences {
  lane: number;
  sentences: readonly GivenSentence[];
  opened?: { options: SearchOptions & BatchLimits; heeding: boolean };
}

/** What a thread tells, of a lane where there is one: sentences that are done, then that there are no more, or why it stops. */
export type StreamMessage = { lane?: number } & (
  | { place: number; hypotheses: Hypothesis[] }
  | { done: true }
  | { complaints: readonly Complaint[] }
);

/**
 * Streams: searches side by side, each on one thread with a batch of its own, over one model. Sentences are independent,
 * so nothing waits for anything; what a stream finds does not depend on what others do. The first one is on this thread.
 */
export class Streams {
  readonly count: number;
  private readonly workers: readonly Worker[];
  private opened = 0;
  /** The search under way: the next one waits for it, since threads say what they found, not to whom. */
  private last: Promise<void> = Promise.resolve();

  /**
   * Starts the threads, which takes them some tenths of a second.
   *
   * @param count of streams, at least 2
   */
  constructor(count: number) {
    this.count = count;
    this.workers = Array.from({ length: count - 1 }, () => {
      const worker = new Worker(new URL('./stream-worker.js', import.meta.url));
      worker.unref();
      return worker;
    });
  }

  /** Gives all threads the model, once. */
  open(data: StreamData): void {
    for (const worker of this.workers) worker.postMessage(data);
  }

  /**
   * Translates sentences. The limits are those of all streams together.
   *
   * @param own the decoder of this thread
   * @param found told of each sentence as it is done: its place, and its hypotheses, best score first
   * @param wishes what is wished of each sentence, by its place
   */
  search(
    own: IncrementalDecoder,
    sources: readonly Int32Array[],
    options: SearchOptions & BatchLimits,
    found: (place: number, hypotheses: Hypothesis[]) => void,
    wishes?: readonly Wishes[],
  ): Promise<void> {
    const turn = this.last.then(() => this.searchAlone(own, sources, options, found, wishes));
    this.last = turn.catch(() => {}); // told to whoever asked
    return turn;
  }

  /**
   * A search without end on each thread but this one. The limits are those of all of them together.
   *
   * @param heeding whether it heeds wishes
   */
  lanes(options: SearchOptions & BatchLimits, heeding: boolean): OpenLane[] {
    const lane = this.opened++;
    const opened = { options: jobOf(options, this.workers.length), heeding };
    return this.workers.map(
      (worker) => (listener) => laneOn(worker, { lane, opened, sentences: [] }, listener),
    );
  }

  /** Ends the threads, whatever they are at. */
  async dispose(): Promise<void> {
    await Promise.all(this.workers.map((worker) => worker.terminate()));
  }

  private async searchAlone(
    own: IncrementalDecoder,
    sources: readonly Int32Array[],
    options: SearchOptions & BatchLimits,
    found: (place: number, hypotheses: Hypothesis[]) => void,
    wishes?: readonly Wishes[],
  ): Promise<void> {
    const queue = SentenceQueue.of(sources);
    const job = jobOf(options, this.count);
    const searches = await Promise.allSettled([
      searchQueue(own, queue, job, found, wishes),
      ...this.workers.map((worker) => searchOn(worker, { queue: queue.parts, options: job, wishes }, found)),
    ]);
    for (const ended of searches) if (ended.status === 'rejected') throw ended.reason;
  }
}

/** What one of several threads gets of the options. */
export function jobOf(options: SearchOptions & BatchLimits, count: number): SearchOptions & BatchLimits {
  const share = (whole: number): number => Math.max(1, Math.floor(whole / count));
  return {
    ...searchOptions(options), // and nothing else, which might not reach a thread
    ...{ maxTokens: share(options.maxTokens), batchSize: share(options.batchSize) },
  };
}

function laneOn(
  worker: Worker,
  first: StreamSentences,
  { found, failed }: LaneListener,
): ReturnType<OpenLane> {
  const { lane } = first;
  worker.on('message', (message: StreamMessage) => {
    if (message.lane !== lane) return;
    if ('place' in message) found(message.place, message.hypotheses);
    else if ('complaints' in message) failed(new UserError(message.complaints), false);
  });
  worker.on('error', (error) => failed(error, true));
  worker.on('exit', (code) => failed(new Error(`a thread of translating ended with code ${code}`), true));
  const give = (sentences: readonly GivenSentence[]): void => worker.postMessage({ lane, sentences });
  worker.postMessage(first);
  return { give, end: () => {} }; // with the thread
}

function searchOn(
  worker: Worker,
  job: StreamJob,
  found: (place: number, hypotheses: Hypothesis[]) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (settle: () => void): void => {
      worker.unref();
      worker.off('message', hear).off('error', fail).off('exit', miss);
      settle();
    };
    const fail = (error: unknown): void => end(() => reject(error));
    const miss = (code: number): void => fail(new Error(`a thread of translating ended with code ${code}`));
    const hear = (message: StreamMessage): void => {
      if ('place' in message) found(message.place, message.hypotheses);
      else if ('done' in message) end(resolve);
      else fail(new UserError(message.complaints));
    };
    worker.on('message', hear).on('error', fail).on('exit', miss);
    worker.ref();
    worker.postMessage(job);
  });
}
