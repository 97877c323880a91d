import { Worker } from 'node:worker_threads';
import type { Communicator } from '../../src/common/communicator.js';
import type { TinyRun } from './tiny.js';

/** Bytes of what a rank says at once. */
const ROOM = 2 ** 20;
/** Milliseconds until a rank that waits for the others gives up. */
const PATIENCE = 300_000;

/** What the threads share: two words of a barrier, then the rooms of the ranks. */
export const makeShared = (size: number): SharedArrayBuffer => new SharedArrayBuffer(16 + size * ROOM);

/** Ranks that are threads of one process: a double of those of MPI, with the same order of sums. */
export function threadRank(shared: SharedArrayBuffer, rank: number, size: number): Communicator {
  const [arrived, round] = [0, 1];
  const words = new Int32Array(shared, 0, 4);
  const room = (i: number) => new Uint8Array(shared, 16 + i * ROOM, ROOM);
  const meet = (): void => {
    const now = Atomics.load(words, round);
    if (Atomics.add(words, arrived, 1) === size - 1) {
      Atomics.store(words, arrived, 0);
      Atomics.add(words, round, 1);
      Atomics.notify(words, round);
    } else if (Atomics.wait(words, round, now, PATIENCE) === 'timed-out') throw new Error('a rank is gone');
  };
  /** What every rank says, read before anybody says something else. */
  const say = <T>(own: Uint8Array, read: (bytes: readonly Uint8Array[]) => T): T => {
    room(rank).set(own);
    meet();
    const result = read(Array.from({ length: size }, (_, i) => room(i).slice(0, own.length)));
    meet();
    return result;
  };
  const sumOf = (arrays: readonly (Float32Array | Float64Array)[]): Float32Array | Float64Array => {
    if (arrays.length === 1) return arrays[0];
    const middle = arrays.length / 2;
    const [a, b] = [sumOf(arrays.slice(0, middle)), sumOf(arrays.slice(middle))];
    return a.map((x, i) => x + b[i]);
  };
  const exchange = <T>(value: T): T[] => {
    const text = new TextEncoder().encode(JSON.stringify(value));
    const padded = new Uint8Array(2 ** 16).fill(32);
    padded.set(text);
    return say(padded, (all) => all.map((bytes) => JSON.parse(new TextDecoder().decode(bytes)) as T));
  };
  return {
    rank,
    size,
    hosts: Array.from({ length: size }, (_, i) => `host-${i}`),
    beginSum: (arrays) => ({
      wait: () => {
        for (const array of arrays) {
          const own = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
          const Kind = array instanceof Float32Array ? Float32Array : Float64Array;
          array.set(
            say(own.slice(), (all) => sumOf(all.map((bytes) => new Kind(bytes.buffer as ArrayBuffer)))),
          );
        }
      },
    }),
    exchange,
    broadcast: (value) => exchange(value)[0],
    barrier: () => meet(),
    abort: (message) => {
      throw new Error(message);
    },
    traffic: { blockedSeconds: 0, sumSeconds: 0, bytes: 0, sums: 0 },
  };
}

/** What a rank of a training is told. */
export interface RankTask {
  rank: number;
  size: number;
  shared: SharedArrayBuffer;
  backend: 'native' | 'cpu';
  folder: string;
  run: TinyRun;
  /** Which rank is asked to end, after how many questions. */
  interrupt?: { rank: number; after: number };
  /** Which rank has another weight than the others. */
  spoilt?: number;
  /** Checkpoints that the disk refuses, by their numbers from the first to the last of them. */
  refused?: [from: number, to: number];
}

/** Trains in a folder as so many ranks. @returns how each ended: in words, or the name and text of what it threw */
export async function trainAsRanks(
  size: number,
  task: Omit<RankTask, 'rank' | 'size' | 'shared'>,
): Promise<string[]> {
  const shared = makeShared(size);
  const ends = Array.from({ length: size }, (_, rank) => {
    const workerData: RankTask = { ...task, rank, size, shared };
    const worker = new Worker(new URL('./rank-thread.js', import.meta.url), { workerData });
    return new Promise<string>((resolve, reject) => {
      worker.on('message', resolve);
      worker.on('error', reject);
    });
  });
  return await Promise.all(ends);
}
