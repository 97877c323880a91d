import { Worker } from 'node:worker_threads';
import { formatDuration } from '../common/duration.js';
import { UserError, userErrorOf } from '../common/errors.js';
import type { GrownSum } from '../common/growing-sum.js';
import { log } from '../common/log.js';
import { type Capturable, copiedValues, imageOf, valuesOf } from './checkpoint.js';
import { checkpointName } from './checkpoint-folders.js';
import { type CheckpointFailure, type CheckpointJob, imageBytes } from './checkpoint-job.js';
import { makeRing, RingWriter } from './checkpoint-ring.js';
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
  /** Whether another process writes them: then nothing is, and they are counted alone. */
  follows?: boolean;
  /** Milliseconds until a checkpoint that could not be written is tried again; default 60 000. */
  retryAfter?: number;
  /** Does the job of a checkpoint; default in a thread that ends with it. */
  write?: WriteJob;
}

/** The values of a checkpoint, tensor by tensor, each good until the next is asked for. */
export type Values = Iterable<Float32Array> | AsyncIterable<Float32Array>;

/** Does the job of a checkpoint. @returns why it could not be done */
export type WriteJob = (job: CheckpointJob, values: Values) => Promise<CheckpointFailure | undefined>;

/** What a checkpoint is made of. */
export interface Savable extends Omit<Capturable, 'origin'> {
  /** What metrics.jsonl is at this point; null where lines could not be written, which a checkpoint must not lose. */
  metrics: GrownSum | null;
}

/** A checkpoint that is in the memory of the process. */
export interface Copy {
  job: CheckpointJob;
  values: readonly Float32Array[];
}

/**
 * Writes the checkpoints of a run, one at a time, in a thread of their own. Training waits only while its numbers are
 * copied, through a ring of little memory: those of a small model at once, of a large one as they are written. A checkpoint that cannot be written leaves those before it as they are.
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
   *
   * @throws what reading the numbers does, as of a device that is lost: then nothing is saved
   */
  async save(savable: Savable): Promise<void> {
    if (this.options.follows) {
      this.savedAt = savable.state.updates;
      return;
    }
    await this.underWay;
    const started = performance.now();
    const { updates } = savable.state; // what follows may happen after the next ones
    const job = this.jobOf(savable);
    if (job !== null) {
      await this.begin(job, valuesOf({ ...savable, origin: this.options.origin }), started);
      return;
    }
    this.savedAt = updates;
    const message = 'the lines of metrics.jsonl that belong to it cannot be written';
    this.underWay = Promise.resolve(this.fail({ message, refused: true }, updates));
  }

  /** Copies what a checkpoint of this moment holds. @returns null where its metrics could not be written */
  async copy(savable: Savable): Promise<Copy | null> {
    const job = this.jobOf(savable);
    return job && { job, values: await copiedValues({ ...savable, origin: this.options.origin }) };
  }

  /** Begins to write what was copied; none may be under way. Returns when it is needed no more. */
  async write({ job, values }: Copy): Promise<void> {
    await this.begin(job, values);
  }

  /** @returns null where the metrics could not be written */
  private jobOf({ metrics, ...savable }: Savable): CheckpointJob | null {
    if (metrics === null) return null;
    const { runDirectory, origin, keep } = this.options;
    const { state } = savable;
    const nameOf = (place: { epoch: number; updates: number }): string =>
      checkpointName(place.epoch, place.updates);
    const bests = state.bests.map(nameOf);
    const spared = state.doctor.good === null ? bests : [...bests, nameOf(state.doctor.good)];
    const where = { runDirectory, name: nameOf(state), metrics, bests, spared, keep };
    return { ...imageOf({ ...savable, origin }), ...where };
  }

  /** Ends once all values have been taken, or nobody wants them. @throws what reading them does */
  private async begin(job: CheckpointJob, values: Values, started = performance.now()): Promise<void> {
    const { write = inThread } = this.options;
    const { updates } = job;
    const before = this.savedAt;
    const passed = new Passed(values);
    this.savedAt = updates;
    this.underWay = write(job, passed)
      .catch(refusalOf)
      .then((failure) => {
        this.longest = Math.max(this.longest, (performance.now() - started) / 1000);
        if (passed.error !== undefined) return undefined; // who asked is told
        return failure === undefined ? this.succeed() : this.fail(failure, updates);
      });
    await Promise.race([passed.done, this.underWay]);
    if (passed.error === undefined) return;
    this.savedAt = before;
    throw passed.error.thrown;
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

/** Values on their way, and whether all of them have gone. */
class Passed implements AsyncIterable<Float32Array> {
  /** What reading them has thrown. */
  error: { thrown: unknown } | undefined;
  readonly done: Promise<void>;
  private readonly values: Values;
  private finish: () => void = () => {};

  constructor(values: Values) {
    this.values = values;
    this.done = new Promise((resolve) => {
      this.finish = resolve;
    });
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Float32Array, void, undefined> {
    try {
      yield* this.values;
    } catch (thrown) {
      this.error = { thrown };
      throw thrown;
    } finally {
      this.finish();
    }
  }
}

/** Does the job in a thread, which ends with it and so gives back its memory. */
async function inThread(job: CheckpointJob, values: Values): Promise<CheckpointFailure | undefined> {
  const ring = makeRing(imageBytes(job));
  const writer = new RingWriter(ring);
  const worker = new Worker(new URL('./checkpoint-worker.js', import.meta.url), {
    workerData: { job, ring },
  });
  let failure: CheckpointFailure | undefined;
  const ended = new Promise<void>((resolve, reject) => {
    worker.on('message', (message: CheckpointFailure | null) => {
      if (message === null) writer.heard();
      else failure = message;
    });
    worker.on('error', reject);
    worker.on('exit', resolve);
  }).finally(writer.close);
  const passed = writer.writeAll(values);
  await Promise.allSettled([ended, passed]); // where one fails the other ends, too
  await passed;
  await ended;
  return failure;
}
