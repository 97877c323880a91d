import { mean } from '../common/statistics.js';

/*
 * What several ranks gain, foretold from what one takes. An update of n ranks ends when the slowest of them has done its
 * batches and the sums are done, most of which happen while the last batch is gone back through. The sums are those of
 * native/mpi/ranks.cc: with p the largest power of two that is at most n, ranks at the distances 1, 2, … p/2 trade halves of
 * what they have left, and the same way back; ranks beyond p first hand all to another one, and get it back in the end.
 */

/** How a message gets from one rank to another. */
export interface Network {
  name: string;
  /** Seconds from the beginning of a message until it is there, however short. */
  latency: number;
  /** Bytes a second, each way at the same time, what comes being added on the way. */
  bandwidth: number;
}

/** Bytes a second of numbers that are added to others while they are in a cache, as a core does it. */
const ADDING = 4e9;

/** A wire of so many bits a second, of which the protocol takes some: half of what crosses it is added where it arrives. */
const wire = (name: string, latency: number, bits: number): Network => {
  const bytes = (0.94 * bits) / 8;
  return { name, latency, bandwidth: 1 / (1 / bytes + 0.5 / ADDING) };
};

/** Networks as they mostly are; latency is that of MPI on TCP in one rack, or of InfiniBand through its own library. */
export const NETWORKS: readonly Network[] = [
  wire('1 Gb/s Ethernet', 50e-6, 1e9),
  wire('10 Gb/s Ethernet', 25e-6, 1e10),
  wire('25 Gb/s Ethernet', 20e-6, 2.5e10),
  wire('100 Gb/s InfiniBand', 2e-6, 1e11),
];

/** Numbers of ranks that a table has. */
export const RANKS: readonly number[] = [1, 2, 4, 8, 16, 32, 64];

/** Bytes up to which all trade the whole, which takes half as many messages: SMALL of native/mpi/ranks.cc. */
const SMALL = 4096;

/** What lies between the beginning of a sum and its end: messages, each after the one before, and the bytes in them. */
export interface Course {
  messages: number;
  bytes: number;
}

/** The longest way through a sum of so many bytes over so many ranks. */
export function courseOf(bytes: number, ranks: number): Course {
  if (ranks === 1 || bytes === 0) return { messages: 0, bytes: 0 };
  const levels = Math.floor(Math.log2(ranks));
  const power = 2 ** levels;
  const small = bytes <= SMALL;
  const folds = ranks > power ? 2 : 0;
  return {
    messages: (small ? levels : 2 * levels) + folds,
    bytes: bytes * ((small ? levels : 2 * (1 - 1 / power)) + folds),
  };
}

/** What an update adds over ranks beside the gradients, in bytes: losses of each batch, figures of each rank, what all decide. */
const figureBytes = (ranks: number, updateFreq: number): number =>
  8 * (2 * ranks * updateFreq + 4 * ranks + 6);

/** All sums of an update, one after another. */
export function courseOfUpdate({ bucketBytes, updateFreq }: Work, ranks: number): Course {
  return together([...bucketBytes, figureBytes(ranks, updateFreq)].map((bytes) => courseOf(bytes, ranks)));
}

/** What of them is left, whatever happens, when all gradients are there: the last bucket and the figures. */
function lastCourse({ bucketBytes, updateFreq }: Work, ranks: number): Course {
  const last = [bucketBytes.at(-1)!, figureBytes(ranks, updateFreq)];
  return together(last.map((bytes) => courseOf(bytes, ranks)));
}

const together = (courses: readonly Course[]): Course => ({
  messages: courses.reduce((sum, { messages }) => sum + messages, 0),
  bytes: courses.reduce((sum, { bytes }) => sum + bytes, 0),
});

const secondsOf = ({ messages, bytes }: Course, { latency, bandwidth }: Network): number =>
  messages * latency + bytes / bandwidth;

/** What the backward pass takes of the time of a batch: two products for each one of the forward pass. */
const BACKWARD = 2 / 3;

/**
 * Seconds that the sums of an update take in all, and those of them that are waited for: buckets fill evenly while a batch is
 * gone back through, the first of K at 1/K of that.
 */
export function sumsOfUpdate(work: Work, ranks: number, network: Network): { all: number; waited: number } {
  const all = secondsOf(courseOfUpdate(work, ranks), network);
  const { tokens, secondsOfToken, bucketBytes } = work;
  const beside = BACKWARD * mean(Array.from(tokens)) * secondsOfToken * (1 - 1 / bucketBytes.length);
  return { all, waited: Math.max(secondsOf(lastCourse(work, ranks), network), all - beside) };
}

/** What one rank takes for its work, as it is measured. */
export interface Work {
  /** Of the gradients, by the bucket that they are summed in, in the order in which those are sent. */
  bucketBytes: readonly number[];
  /** Batches that a rank does of an update. */
  updateFreq: number;
  secondsOfToken: number;
  /** What is done once an update, however many tokens it has. */
  secondsOfUpdate: number;
  /** Tokens of each batch of an epoch, in its order. */
  tokens: ArrayLike<number>;
}

/** An epoch of several ranks. */
export interface EpochOfRanks {
  updates: number;
  /** Seconds that a rank computes in it, on average over the ranks, and the slowest of each update. */
  mean: number;
  slowest: number;
}

/** An epoch, sums aside: what differs between the ranks of an update, all but the slowest wait for. */
export function epochOf(
  { tokens, updateFreq, secondsOfToken, secondsOfUpdate }: Work,
  ranks: number,
): EpochOfRanks {
  const places = ranks * updateFreq;
  const updates = Math.ceil(tokens.length / places);
  let [all, most] = [0, 0];
  for (let first = 0; first < tokens.length; first += places) {
    let slowest = 0;
    for (let rank = 0; rank < ranks; rank++) {
      let own = 0;
      const start = first + rank * updateFreq;
      for (let at = start; at < Math.min(start + updateFreq, tokens.length); at++) own += tokens[at];
      all += own;
      slowest = Math.max(slowest, own);
    }
    most += slowest;
  }
  const steps = updates * secondsOfUpdate;
  return { updates, mean: (all / ranks) * secondsOfToken + steps, slowest: most * secondsOfToken + steps };
}

/** What is foretold of an epoch over a network. */
export interface Forecast {
  seconds: number;
  /** Tokens a second of all ranks, as a share of what each of them would do alone, added up. */
  efficiency: number;
}

/** Foretells an epoch of several ranks, validation and saving aside. */
export function foretell(work: Work, ranks: number, network: Network): Forecast {
  const { updates, slowest } = epochOf(work, ranks);
  const seconds = slowest + updates * sumsOfUpdate(work, ranks, network).waited;
  return { seconds, efficiency: epochOf(work, 1).mean / (ranks * seconds) };
}
