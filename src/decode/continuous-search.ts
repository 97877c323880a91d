import { type GivenSentence, Inbox, searchInbox } from './inbox.js';
import type { BatchLimits } from './length-batches.js';
import type { Hypothesis, SearchOptions } from './search.js';
import type { Wishes } from './search-options.js';
import type { StepModel } from './step-model.js';

/** Hears of what a lane does. */
export interface LaneListener {
  found(id: number, hypotheses: Hypothesis[]): void;
  /** Everything that the lane was given and has not found is lost. @param over whether it takes nothing more */
  failed(error: unknown, over: boolean): void;
}

/** One search without end, on a thread of its own or on this one. */
export interface Lane {
  give(sentences: readonly GivenSentence[]): void;
  end(): void;
}

export type OpenLane = (listener: LaneListener) => Lane;

/** A lane on this thread. @param heeding whether it heeds wishes, for which it asks for whole distributions */
export function laneOf(model: StepModel, options: SearchOptions & BatchLimits, heeding = false): OpenLane {
  return ({ found, failed }) => {
    const inbox = new Inbox();
    const run = async (): Promise<void> => {
      while (inbox.isOpen) {
        try {
          await searchInbox(model, inbox, options, heeding, found);
        } catch (error) {
          inbox.clear();
          failed(error, false);
        }
      }
    };
    void run();
    return { give: (sentences) => inbox.give(sentences), end: () => inbox.end() };
  };
}

interface Job {
  ids: Int32Array;
  wishes?: Wishes;
  resolve(hypotheses: Hypothesis[]): void;
  reject(error: unknown): void;
}

interface OpenedLane {
  lane: Lane;
  /** What it was given and has not found, by id. */
  jobs: Map<number, Job>;
  tokens: number;
}

/** What a lane is given beyond its batch, so that it has the next sentences when there is room: a share of the batch. */
const AHEAD = 1.25;

/**
 * Translates sentences as they come, each for whoever asks: those that are there at once share a batch, and one that comes
 * later joins it as soon as others leave. So none waits for a batch to fill or to end. First come, first served.
 */
export class ContinuousSearch {
  private readonly lanes: OpenedLane[] = [];
  private readonly limits: BatchLimits;
  private readonly queue = new Set<Job>();
  private nextId = 0;
  private scheduled = false;
  private lost: unknown;
  /** Source tokens that wait for a place in a batch. */
  waitingTokens = 0;

  /** @param limits of the batch of each lane */
  constructor(openers: readonly OpenLane[], limits: BatchLimits) {
    this.limits = limits;
    for (const open of openers) this.lanes.push(this.opened(open));
  }

  /** Sentences that wait for a place in a batch. */
  get waiting(): number {
    return this.queue.size;
  }

  /** Sentences that are in a batch. */
  get running(): number {
    return this.lanes.reduce((sum, { jobs }) => sum + jobs.size, 0);
  }

  /** What has ended the last lane; undefined while there is one. */
  get failure(): unknown {
    return this.lanes.length === 0 ? (this.lost ?? new Error('the model is closed')) : undefined;
  }

  /**
   * Translates a sentence.
   *
   * @param ids source ids that end in `</s>`
   * @param signal drops it: what waits is not begun
   * @param wishes what is wished of it, where the lanes heed that
   * @returns its hypotheses, best score first
   * @throws UserError when the model's probabilities are not finite; the reason of the signal
   */
  search(ids: Int32Array, signal?: AbortSignal, wishes?: Wishes): Promise<Hypothesis[]> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      if (this.lanes.length === 0) return reject(this.failure);
      const drop = (): void => {
        if (this.queue.delete(job)) this.waitingTokens -= ids.length;
        reject(signal!.reason);
      };
      const settle = (): void => signal?.removeEventListener('abort', drop);
      const job: Job = {
        ids,
        wishes,
        resolve: (hypotheses) => {
          settle();
          resolve(hypotheses);
        },
        reject: (error) => {
          settle();
          reject(error);
        },
      };
      signal?.addEventListener('abort', drop, { once: true });
      this.queue.add(job);
      this.waitingTokens += ids.length;
      this.schedule();
    });
  }

  /** Takes nothing more; what waits is refused. */
  end(): void {
    for (const { lane } of this.lanes.splice(0)) lane.end();
    this.refuseAll(this.failure);
  }

  private opened(open: OpenLane): OpenedLane {
    const jobs = new Map<number, Job>();
    const found = (id: number, hypotheses: Hypothesis[]): void => {
      const job = jobs.get(id)!;
      jobs.delete(id);
      entry.tokens -= job.ids.length;
      job.resolve(hypotheses);
      this.schedule();
    };
    const failed = (error: unknown, over: boolean): void => {
      const lost = [...jobs.values()];
      jobs.clear();
      entry.tokens = 0;
      if (over) this.remove(entry, error);
      for (const job of lost) job.reject(error);
      this.schedule();
    };
    const entry: OpenedLane = { lane: open({ found, failed }), jobs, tokens: 0 };
    return entry;
  }

  private remove(entry: OpenedLane, error: unknown): void {
    const place = this.lanes.indexOf(entry);
    if (place === -1) return;
    this.lanes.splice(place, 1);
    this.lost = error;
    if (this.lanes.length === 0) this.refuseAll(error);
  }

  private refuseAll(error: unknown): void {
    for (const job of this.queue) job.reject(error);
    this.queue.clear();
    this.waitingTokens = 0;
  }

  /** Gives sentences away once all that have come together are there. */
  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      this.giveAway();
    });
  }

  private giveAway(): void {
    const given = new Map<OpenedLane, GivenSentence[]>();
    for (const job of this.queue) {
      const entry = this.roomiest();
      if (entry === undefined || !this.fits(entry, job)) break;
      this.queue.delete(job);
      this.waitingTokens -= job.ids.length;
      const id = this.nextId++;
      entry.jobs.set(id, job);
      entry.tokens += job.ids.length;
      given.set(entry, [...(given.get(entry) ?? []), { id, ids: job.ids, wishes: job.wishes }]);
    }
    for (const [{ lane }, sentences] of given) lane.give(sentences);
  }

  private roomiest(): OpenedLane | undefined {
    return this.lanes.toSorted((a, b) => a.tokens - b.tokens)[0];
  }

  private fits({ jobs, tokens }: OpenedLane, { ids }: Job): boolean {
    const { maxTokens, batchSize } = this.limits;
    return (
      jobs.size === 0 || (tokens + ids.length <= AHEAD * maxTokens && jobs.size + 1 <= AHEAD * batchSize)
    );
  }
}
