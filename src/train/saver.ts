import { Worker } from 'node:worker_threads';
import { formatDuration } from '../common/duration.js';
import { UserError, userErrorOf } from '../common/errors.js';
import { log } from '../common/log.js';
import { type Capturable, captureCheckpoint } from './checkpoint.js';
import { checkpointName } from './checkpoint-folders.js';
import type { CheckpointFailure, CheckpointJob } from './checkpoint-job.js';
import type { CheckpointOrigin } from './state.js';

/** Milliseconds after which a save that has failed is tried again. */
const RETRY_AFTER = 60_000;

export interface SaverOptions {
  /** Holds the checkpoints. */
  runDirectory: string;
  /** Stands in every checkpoint. */
  origin: CheckpointOrigin;
  /** Numbered checkpoints to keep beside the best ones and the last; Infinity for all. */
  keep: number;
  /** Milliseconds until a checkpoint that could not be written is tried again; default 60 000. */
  retryAfter?: number;
  /** Does the job of a checkpoint, whose tensors it takes over; default in a thread that ends with it. */
  write?: (job: CheckpointJob) => Promise<CheckpointFailure | undefined>;
}

/** What a checkpoint is made of. */
export interface Savable extends Omit<Capturable, 'origin'> {
  /** Bytes of metrics.jsonl at this point; null where lines could not be written, which a checkpoint must not lose. */
  metricsBytes: number | null;
}

/**
 * Writes the checkpoints of a run, one at a time, in a thread of their own: training waits only while its numbers are
 * copied. A checkpoint that cannot be written leaves those before it as they are.
 */
export class Saver {
  /** Updates that were done at the latest checkpoint that is written or under way. */
  savedAt: number;
  /** Seconds from the start of the longest save to its end. */
  longest = 0;
  private readonly options: SaverOptions;
  /** Ends when the latest checkpoint is written, with why it was not. */
  private underWay: Promise<CheckpointFailure | undefined> = Promise.resolve(undefined);
  /** When to try again after a failure. */
  private retryAt: number | undefined;

  /** @param savedAt updates of the checkpoint that training goes on from */
  constructor(options: SaverOptions, savedAt: number) {
    this.options = options;
    this.savedAt = savedAt;
  }

  /** Whether a save that has failed should be tried again now. */
  get retryDue(): boolean {
    return this.retryAt !== undefined && performance.now() >= this.retryAt;
  }

  /**
   * Begins to save. Returns when the numbers are copied; a checkpoint that is still being written is waited for first.
   * Where the disk refuses, a warning says so, and it is tried again later.
   */
  async save(savable: Savable): Promise<void> {
    await this.underWay;
    const started = performance.now();
    const { updates } = savable.state; // what follows may happen after the next ones
    const job = await this.capture(savable);
    if (job !== null) {
      this.begin(job, started);
      return;
    }
    this.savedAt = updates;
    const message = 'the lines of metrics.jsonl that belong to it cannot be written';
    this.underWay = Promise.resolve(this.fail({ message, refused: true }, updates));
  }

  /** Copies what a checkpoint of this moment holds. @returns null where its metrics could not be written */
  async capture({ metricsBytes, ...savable }: Savable): Promise<CheckpointJob | null> {
    if (metricsBytes === null) return null;
    const { runDirectory, origin, keep } = this.options;
    const { state } = savable;
    const nameOf = (place: { epoch: number; updates: number }): string =>
      checkpointName(place.epoch, place.updates);
    const bests = state.bests.map(nameOf);
    const spared = state.doctor.good === null ? bests : [...bests, nameOf(state.doctor.good)];
    const image = captureCheckpoint({ ...savable, origin });
    const where = { runDirectory, name: nameOf(state), metricsBytes, bests, spared, keep };
    return { ...(await image), ...where };
  }

  /** Begins to write what was copied, which it takes over; none may be under way. */
  begin(job: CheckpointJob, started = performance.now()): void {
    const { write = inThread } = this.options;
    const { updates } = job; // the job is given away
    this.savedAt = updates;
    this.underWay = write(job)
      .catch(refusalOf)
      .then((failure) => {
        this.longest = Math.max(this.longest, (performance.now() - started) / 1000);
        return failure === undefined ? this.succeed() : this.fail(failure, updates);
      });
  }

  /** Waits until the latest checkpoint is written. @throws UserError where it is not */
  async settle(): Promise<void> {
    const failure = await this.underWay;
    if (failure === undefined) return;
    throw new UserError({
      problem: `the last checkpoint could not be written: ${failure.message}`,
      where: this.options.runDirectory,
      hint: 'The checkpoint before it is kept; the same command goes on from there.',
    });
  }

  /** Waits until nothing is being written. */
  async idle(): Promise<void> {
    await this.underWay.catch(() => {}); // told where it belongs
  }

  private succeed(): undefined {
    this.retryAt = undefined;
  }

  private fail(failure: CheckpointFailure, updates: number): CheckpointFailure {
    if (!failure.refused) throw new Error(failure.message);
    const { retryAfter = RETRY_AFTER } = this.options;
    this.retryAt = performance.now() + retryAfter;
    this.savedAt = -1;
    log.warn(
      `No checkpoint after ${updates} updates: ${failure.message}\n` +
        `  Training goes on, the checkpoint before it stays, and saving is tried again in ${formatDuration(retryAfter / 1000)}.`,
    );
    return failure;
  }
}

/** No memory, or no thread, for the job is a refusal like that of the disk. @throws a bug */
function refusalOf(error: unknown): CheckpointFailure {
  return { message: userErrorOf(error).message, refused: true };
}

/** The memory of the tensors of a job. */
export function buffersOf({ tensors }: CheckpointJob): ArrayBuffer[] {
  return Object.values(tensors).flatMap((arrays) =>
    [...arrays.values()].map(({ data }) => data.buffer as ArrayBuffer),
  );
}

/** Does the job in a thread, which ends with it and so gives back its memory. @returns why it could not be done */
function inThread(job: CheckpointJob): Promise<CheckpointFailure | undefined> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./checkpoint-worker.js', import.meta.url), {
      workerData: job,
      transferList: buffersOf(job),
    });
    let failure: CheckpointFailure | undefined;
    worker.on('message', (message: CheckpointFailure) => {
      failure = message;
    });
    worker.on('error', reject);
    worker.on('exit', () => resolve(failure));
  });
}
