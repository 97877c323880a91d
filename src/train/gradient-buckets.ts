import type { Communicator, Pending } from '../common/communicator.js';
import { floatsOf } from '../ops/in-place.js';
import { tf } from '../ops/tf.js';

/** Floats of a bucket, at least: 4 MiB, of which a message is a small part of its time. */
const BUCKET = 2 ** 20;

/**
 * Cuts weights into buckets, the last weight first: in about that order a backward pass comes to the end of their gradients.
 *
 * @param sizes of the weights
 * @returns the first place of each bucket; a bucket ends where the one before it begins
 */
export function bucketStarts(sizes: readonly number[]): number[] {
  const starts: number[] = [];
  let filled = 0;
  for (let place = sizes.length - 1; place >= 0; place--) {
    filled += sizes[place];
    if (filled < BUCKET && place > 0) continue;
    starts.push(place);
    filled = 0;
  }
  return starts;
}

/** Floats of each bucket, in their order. */
export function bucketSizes(sizes: readonly number[]): number[] {
  const starts = bucketStarts(sizes);
  return starts.map((start, bucket) =>
    sizes.slice(start, starts[bucket - 1]).reduce((sum, size) => sum + size, 0),
  );
}

/**
 * Sums of gradients over all processes, which begin while a backward pass still makes the rest of them: a bucket of weights is
 * sent as soon as all of its gradients are there. All processes send the same buckets in the same order, whatever order their
 * gradients come in.
 */
export class GradientBuckets {
  private readonly communicator: Communicator;
  private readonly starts: readonly number[];
  /** The bucket of each weight. */
  private readonly bucketOf: readonly number[];
  private readonly gradients: (tf.Tensor | undefined)[];
  /** How many gradients of each bucket are still to come. */
  private missing: number[];
  private pending: Pending[] = [];

  /** @param sizes of the weights */
  constructor(communicator: Communicator, sizes: readonly number[]) {
    this.communicator = communicator;
    this.starts = bucketStarts(sizes);
    this.bucketOf = sizes.map((_, place) => this.starts.findIndex((start) => start <= place));
    this.gradients = sizes.map(() => undefined);
    this.missing = this.counts();
  }

  /**
   * Takes over a gradient that is complete in this process.
   *
   * @returns the tensor that its sum will be in, which nobody reads before `finish`
   */
  give(place: number, gradient: tf.Tensor): tf.Tensor {
    const own = unshared(gradient);
    this.gradients[place] = own;
    this.missing[this.bucketOf[place]]--;
    for (let bucket = this.pending.length; this.missing[bucket] === 0; bucket++) this.begin(bucket);
    return own;
  }

  /** Sums figures, too, and waits for all: then the next update may begin. */
  finish(figures: readonly Float64Array[]): void {
    const last = this.communicator.beginSum(figures);
    for (const sum of [...this.pending, last]) sum.wait();
    this.pending = [];
    this.gradients.fill(undefined);
    this.missing = this.counts();
  }

  private ofBucket(bucket: number): (tf.Tensor | undefined)[] {
    return this.gradients.slice(this.starts[bucket], this.starts[bucket - 1]);
  }

  private counts(): number[] {
    return this.starts.map((_, bucket) => this.ofBucket(bucket).length);
  }

  private begin(bucket: number): void {
    const floats = this.ofBucket(bucket).map((gradient) => floatsOf(gradient!));
    this.pending.push(this.communicator.beginSum(floats));
  }
}

/** A tensor whose memory nobody else has: gradients of a sum may lie in that of another one, which is still needed. */
function unshared(tensor: tf.Tensor): tf.Tensor {
  if (tf.backend().refCount(tensor.dataId) === 1) return tensor;
  const copy = tf.mul(tensor, 1);
  tensor.dispose();
  return copy;
}
