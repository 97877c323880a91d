import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { log } from '../../common/log.js';
import { createSampler, type Sampling, type Sums, sumSamples } from '../../metrics/sampling.js';

/** Nanoseconds of one thread for each draw or coin, and for each number that is added. */
const COSTS = { resamples: { draw: 20, add: 1.2 }, trials: { draw: 0.6, add: 0.2 } };
/** What a thread must take off the others: it is ready 30 to 50 ms after it was asked for, 4 of which pass here. */
const LEAST_SHARE = 50e6;
/** Drawing is a chain, and up to half of the work of resamples: more threads would wait for it. */
const MOST_THREADS = 4;

/** The sums, on as many threads as the work is worth. @param most by default as many as this process may use */
export function sumWhereItPays(sampling: Sampling, most = availableParallelism()): Sums {
  const { kind, samples, table, width } = sampling;
  const cost = COSTS[kind];
  const work = samples * ((table.length / width) * cost.draw + table.length * cost.add);
  return sumOnThreads(sampling, Math.max(1, Math.min(most, MOST_THREADS, Math.floor(work / LEAST_SHARE))));
}

/** What threads share: the same memory for all of them. */
export interface SharedWork {
  sampling: Sampling;
  sums: Sums;
  /** Samples so far, by the places of PROGRESS. */
  progress: Int32Array;
  /** [1], where in the stream the first sample is that nobody has drawn. */
  place: Float64Array;
}

/** `failed` counts no samples, but is 1 after a failure. */
const PROGRESS = { taken: 0, drawn: 1, summed: 2, failed: 3 };
/** Samples taken, drawn and summed after a failure: nobody does or waits for more. */
const ENDED = 2 ** 30;

/**
 * The sums, made on several threads. Each takes the next samples, draws them as soon as those before are drawn, and
 * sums them while others draw. This thread does as the others do, from the beginning: one that starts late, or never,
 * costs nothing. At the end it waits for what others have taken, and turns to nothing else before.
 *
 * @param threads this one among them
 */
export function sumOnThreads(sampling: Sampling, threads: number): Sums {
  if (threads === 1) return sumSamples(sampling);
  const work = share(sampling);
  for (let i = 1; i < threads; i++) startThread(work);
  workOff(work);
  waitFor(work, PROGRESS.summed, sampling.samples);
  // What was too much memory for another thread may be here alone; a mistake of ours comes up again.
  return Atomics.load(work.progress, PROGRESS.failed) === 1 ? sumSamples(sampling) : work.sums;
}

/** Takes samples until there are none. */
export function workOff(work: SharedWork): void {
  const { progress, place, sums } = work;
  const { samples, width } = work.sampling;
  try {
    const sampler = createSampler(work.sampling);
    for (;;) {
      const from = Atomics.add(progress, PROGRESS.taken, sampler.batch);
      if (from >= samples) return;
      const to = Math.min(samples, from + sampler.batch);
      waitFor(work, PROGRESS.drawn, from);
      place[0] = sampler.draw(to - from, place[0]);
      goOn(work, PROGRESS.drawn, to - from);
      sampler.sum(sums.subarray(from * width, to * width));
      goOn(work, PROGRESS.summed, to - from);
    }
  } catch (error) {
    Atomics.store(progress, PROGRESS.failed, 1);
    Atomics.store(progress, PROGRESS.taken, ENDED);
    for (const which of [PROGRESS.drawn, PROGRESS.summed]) goOn(work, which, ENDED);
    throw error;
  }
}

function goOn({ progress }: SharedWork, which: number, samples: number): void {
  Atomics.add(progress, which, samples);
  Atomics.notify(progress, which);
}

function waitFor({ progress }: SharedWork, which: number, samples: number): void {
  for (;;) {
    const now = Atomics.load(progress, which);
    if (now >= samples) return;
    Atomics.wait(progress, which, now);
  }
}

function startThread(work: SharedWork): void {
  const worker = new Worker(new URL('./worker.js', import.meta.url), { workerData: work });
  worker.unref();
  worker.on('error', ({ message }) =>
    log.warn(`a thread failed, and its work was done without it: ${message}`),
  );
}

function share(sampling: Sampling): SharedWork {
  const { table, samples, width } = sampling;
  const numbers = (length: number) =>
    table instanceof Float32Array
      ? new Float32Array(new SharedArrayBuffer(4 * length))
      : new Float64Array(new SharedArrayBuffer(8 * length));
  const shared = numbers(table.length);
  shared.set(table);
  return {
    sampling: { ...sampling, table: shared },
    sums: numbers(samples * width),
    progress: new Int32Array(new SharedArrayBuffer(4 * 4)),
    place: new Float64Array(new SharedArrayBuffer(8)),
  };
}
