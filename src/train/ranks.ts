import type { Communicator } from '../common/communicator.js';
import type { GradientTaker } from '../ops/differentiate.js';
import { floatsOf } from '../ops/in-place.js';
import { tf } from '../ops/tf.js';
import { GradientBuckets } from './gradient-buckets.js';
import { type Share, shareOf } from './gradient-tree.js';
import type { SummedGradients } from './update.js';

/** What depends on clocks, signals and disks, and so is decided once for all processes of a training. */
export interface Moment {
  /** What asks to save and end, wherever it was heard. */
  signal: 'SIGINT' | 'SIGTERM' | undefined;
  /** Whether somebody has asked for a checkpoint. */
  save: boolean;
  /** Whether a checkpoint that could not be written should be tried again. */
  retry: boolean;
  /** Whether the latest checkpoint could not be written. */
  lost: boolean;
  /** Of training so far, by the clock of the first process. */
  seconds: number;
}

/** Shares of the time of all processes, since the last look. */
export interface Idleness {
  /** Waiting for the slowest process of each update. */
  idle: number;
  /** Blocked by sums and messages beyond that, in this process. */
  exchange: number;
}

/** Numbers that every process tells of its share of an update. */
const TOLD = 4;
const NOTHING = -0; // what leaves the bits of every sum

/**
 * The processes of a training, each of which does a share of every update and decides what all decide. After the
 * gradients, one sum an update carries what they must agree on: each process leaves the places of the others empty.
 */
export class Ranks {
  readonly share: Share;
  readonly communicator: Communicator;
  private readonly updateFreq: number;
  private readonly buckets: GradientBuckets;
  private readonly here: Moment;
  private agreed: Moment | undefined;
  private since = performance.now();
  /** Seconds lost up to the last look, and in all. */
  private readonly whole = { idle: 0, exchange: 0, seconds: 0 };
  /** Seconds since the last look at `idleness`: of the slowest, and of all on average, up to the sums; and in all. */
  private time = { slowest: 0, mean: 0, began: performance.now(), blocked: 0 };

  /**
   * @param updateFreq batches of an update, over all processes
   * @param sizes of the trained weights
   * @param here what is so in this process
   */
  constructor(communicator: Communicator, updateFreq: number, sizes: readonly number[], here: Moment) {
    this.communicator = communicator;
    this.updateFreq = updateFreq;
    this.share = shareOf(communicator.rank, communicator.size, updateFreq);
    this.buckets = new GradientBuckets(communicator, sizes);
    this.here = here;
  }

  /** Whether this process is the one that writes files. */
  get isFirst(): boolean {
    return this.communicator.rank === 0;
  }

  /** Whether there are others. */
  get areSeveral(): boolean {
    return this.communicator.size > 1;
  }

  /** What is so for all: of one process as it is now, of several as they have agreed the last time. */
  get now(): Readonly<Moment> {
    if (!this.areSeveral) return this.here;
    if (this.agreed === undefined) this.agree();
    return this.agreed!;
  }

  /** Brings `now` up to date, where all processes do so. */
  agree(): void {
    if (!this.areSeveral) return;
    const told = this.tell();
    this.communicator.beginSum([told]).wait();
    this.agreed = momentOf(told);
  }

  /** A checkpoint begins in all processes: nothing is known of it yet. */
  begunToSave(): void {
    if (this.agreed !== undefined) this.agreed = { ...this.agreed, save: false, retry: false, lost: false };
  }

  /** Takes the gradients of an update, of which sums begin while others are still to come; undefined for one process. */
  get take(): GradientTaker | undefined {
    return this.areSeveral ? (place, gradient) => this.buckets.give(place, gradient) : undefined;
  }

  /** Ends the sums of the gradients that were taken, and puts the figures of the batches in the order of their places. */
  sum(own: SummedGradients): SummedGradients {
    if (!this.areSeveral) return own;
    const { updateFreq, share } = this;
    const { rank, size } = this.communicator;
    const loss = places(updateFreq, share.first, own.loss);
    const nll = places(updateFreq, share.first, own.nll);
    const alignment = own.alignment && places(updateFreq, share.first, own.alignment);
    const told = this.tell();
    const arrived = (performance.now() - this.since) / 1000;
    const byRank = new Float64Array(TOLD * size).fill(NOTHING);
    byRank.set([own.tokens, own.pairs, own.loss.length, arrived], TOLD * rank);
    this.buckets.finish([loss, nll, ...(alignment === undefined ? [] : [alignment]), byRank, told]);
    tf.dispose([own.loss, own.nll, own.alignment ?? []]);
    this.since = performance.now();
    this.agreed = momentOf(told);
    const ofRanks = (what: number) => Array.from({ length: size }, (_, i) => byRank[TOLD * i + what]);
    const [tokens, pairs, batches] = [0, 1, 2].map((what) => total(ofRanks(what)));
    this.note(ofRanks(3));
    const scalars = (values: Float64Array) => Array.from(values.subarray(0, batches), (x) => tf.scalar(x));
    return {
      ...{ gradients: own.gradients, loss: scalars(loss), nll: scalars(nll), tokens, pairs },
      ...(alignment !== undefined && { alignment: scalars(alignment) }),
    };
  }

  /** Sums figures that every process has some of: those of the others are −0. */
  gather(figures: Float64Array): void {
    if (this.areSeveral) this.communicator.beginSum([figures]).wait();
  }

  /** Which of things in a row are those of this process. */
  isOwn(number: number): boolean {
    return number % this.communicator.size === this.communicator.rank;
  }

  /** How much time was lost to there being several since the last look; undefined of one. */
  idleness(): Idleness | undefined {
    if (!this.areSeveral) return undefined;
    const { slowest, mean, began, blocked } = this.time;
    const now = performance.now();
    const { blockedSeconds } = this.communicator.traffic;
    const whole = (now - began) / 1000;
    const idle = slowest - mean;
    this.time = { slowest: 0, mean: 0, began: now, blocked: blockedSeconds };
    const exchange = Math.max(0, blockedSeconds - blocked - idle);
    this.whole.idle += idle;
    this.whole.exchange += exchange;
    this.whole.seconds += whole;
    return { idle: idle / whole, exchange: exchange / whole };
  }

  /** What all looks at `idleness` come to; undefined where there was none. */
  get lost(): Idleness | undefined {
    const { idle, exchange, seconds } = this.whole;
    return seconds === 0 ? undefined : { idle: idle / seconds, exchange: exchange / seconds };
  }

  private note(seconds: readonly number[]): void {
    this.time.slowest += Math.max(...seconds);
    this.time.mean += total(seconds) / seconds.length;
  }

  private tell(): Float64Array {
    const { signal, save, retry, lost, seconds } = this.here;
    const own = this.isFirst ? [Number(retry), Number(lost), seconds] : [NOTHING, NOTHING, NOTHING];
    return Float64Array.of(Number(signal === 'SIGINT'), Number(signal === 'SIGTERM'), Number(save), ...own);
  }
}

function momentOf([interrupts, terminations, saves, retry, lost, seconds]: Float64Array): Moment {
  const signal = interrupts > 0 ? 'SIGINT' : terminations > 0 ? 'SIGTERM' : undefined;
  return { signal, save: saves > 0, retry: retry > 0, lost: lost > 0, seconds };
}

/** Values of a share in their places. */
function places(length: number, first: number, own: readonly tf.Scalar[]): Float64Array {
  const values = new Float64Array(length).fill(NOTHING);
  own.forEach((scalar, i) => {
    [values[first + i]] = floatsOf(scalar);
  });
  return values;
}

function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
