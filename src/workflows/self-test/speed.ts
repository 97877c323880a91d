import type { ChosenBackend } from '../../backend/init.js';
import { UserError } from '../../common/errors.js';
import type { Precision } from '../../common/precision.js';
import { matrixElements } from '../../model/work.js';
import { linear } from '../../ops/matmul.js';
import { readAndDispose } from '../../ops/reading.js';
import { tf } from '../../ops/tf.js';
import {
  BATCH_TOKENS,
  type ModelName,
  modelConfig,
  newUpdater,
  randomBatch,
  vocabularyOf,
} from './models.js';

/** How fast products of square matrices are, in 10¹² operations a second. */
export interface ProductSpeed {
  precision: Precision;
  size: number;
  forward: number;
  /** Of a product together with both of its gradients. */
  training: number;
}

/** A training step. */
export interface StepSpeed {
  model: ModelName;
  precision: Precision;
  /** Target tokens of a batch. */
  tokens: number;
  seconds: number;
  tokensPerSecond: number;
  /** Most bytes of tensors; null where the backend does not tell. */
  bytes: number | null;
}

export interface Speed {
  /** Microseconds of a small program, and of these those in which this thread is busy with it. */
  program: { whole: number; busy: number } | null;
  /** Milliseconds until a number that was asked for is here. */
  read: number | null;
  /** Bytes that an addition reads and writes in a second. */
  bytesPerSecond: number | null;
  products: ProductSpeed[];
  steps: StepSpeed[];
  /** What was left out, and why. */
  left: string[];
}

const SIZES = [256, 1024, 2048, 4096];
const STEPS: readonly { model: ModelName; tokens: number }[] = [
  { model: 'tiny', tokens: 512 },
  ...(['A', 'B', 'base'] as const).map((model) => ({ model, tokens: BATCH_TOKENS })),
];
/** Seconds for which one thing is measured, once it is warm. */
const SPAN = 0.5;
/** What a training step is slower than its products, at a guess. */
const BESIDES = 3;
const PROGRAMS = 2000;
const READS = 20;
const ADDED = 2 ** 24;

/** Time that may be spent, and what there was no time for. */
class Clock {
  readonly left: string[] = [];
  private readonly end: number;

  constructor(seconds: number) {
    this.end = performance.now() + 1000 * seconds;
  }

  /** Whether there is time for what takes so many seconds at a guess. */
  allows(what: string, seconds: number): boolean {
    const remaining = (this.end - performance.now()) / 1000;
    if (seconds <= remaining) return true;
    this.left.push(`${what}: would take some ${Math.ceil(seconds)} s`);
    return false;
  }
}

/**
 * Measures the current backend, the small before the large; what would take longer than there is time for is left out.
 * A device that fails on the way, of too little memory, ends it.
 *
 * @param seconds to spend
 */
export async function measureSpeed(backend: ChosenBackend, seconds: number): Promise<Speed> {
  const clock = new Clock(seconds);
  const speed: Speed = {
    ...{ program: null, read: null, bytesPerSecond: null, products: [], steps: [], left: clock.left },
  };
  try {
    const precisions: Precision[] = ['float32', ...trainable(backend)];
    speed.read = await readTime();
    if (clock.allows('dispatches', PROGRAMS * speed.read * 1e-3)) speed.program = await programTime();
    for (const precision of precisions) await measureProducts(precision, clock, speed.products);
    speed.bytesPerSecond = await addSpeed(clock);
    for (const step of STEPS)
      for (const precision of precisions) await measureStep(backend, { ...step, precision }, clock, speed);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    clock.left.push(`the rest: ${error.complaints[0].problem}`);
  }
  return speed;
}

/** Precisions other than float32 that a backend trains in. */
function trainable({ precisions }: ChosenBackend): Precision[] {
  return (Object.keys(precisions) as Precision[]).filter((precision) => precision !== 'int8');
}

/** Waits until all that the device was given is done. */
async function finished(tensor: tf.Tensor): Promise<void> {
  await readAndDispose(tf.tidy(() => tf.slice(tf.reshape(tensor, [tensor.size]), 0, 1)));
}

async function readTime(): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < READS; i++) {
    const started = performance.now();
    await readAndDispose(tf.tidy(() => tf.add(tf.scalar(1), tf.scalar(2))));
    times.push(performance.now() - started);
  }
  return times.sort((a, b) => a - b)[READS >> 1];
}

async function programTime(): Promise<{ whole: number; busy: number }> {
  let sum: tf.Tensor = tf.ones([4]);
  const one = tf.ones([4]);
  await finished(sum);
  const started = performance.now();
  for (let i = 0; i < PROGRAMS; i++) {
    const next = tf.add(sum, one);
    sum.dispose();
    sum = next;
  }
  const busy = performance.now() - started;
  await finished(sum);
  const whole = performance.now() - started;
  tf.dispose([sum, one]);
  return { whole: (1000 * whole) / PROGRAMS, busy: (1000 * busy) / PROGRAMS };
}

/** Of a large sum, or where that would take too long of a small one. */
async function addSpeed(clock: Clock): Promise<number> {
  const of = async (size: number): Promise<number> => {
    const x = tf.ones([size]);
    const rate = await operationsPerSecond(12 * size, () => tf.add(x, x));
    x.dispose();
    return rate;
  };
  const small = await of(2 ** 16);
  return clock.allows('a sum of large tensors', (36 * ADDED) / small + SPAN) ? of(ADDED) : small;
}

/** Repeats work for a while. @param operations of one time */
async function operationsPerSecond(operations: number, work: () => tf.Tensor): Promise<number> {
  const times = async (count: number): Promise<number> => {
    const started = performance.now();
    for (let i = 1; i < count; i++) work().dispose();
    const last = work();
    await finished(last);
    last.dispose();
    return (performance.now() - started) / 1000;
  };
  await times(1); // programs are compiled
  const once = await times(1);
  if (once > SPAN) return operations / once;
  const count = Math.min(200, Math.ceil(SPAN / once));
  return (operations * count) / (await times(count));
}

/** Numbers between −0.5 and 0.5 in no order to speak of: millions of them at once. */
function noise(size: number, step: number): tf.Tensor2D {
  const values = new Float32Array(size * size);
  for (let i = 0; i < values.length; i++) values[i] = ((i * step) % 65_521) / 65_521 - 0.5;
  return tf.tensor2d(values, [size, size]);
}

async function measureProducts(precision: Precision, clock: Clock, found: ProductSpeed[]): Promise<void> {
  let slowest = 0;
  for (const size of SIZES) {
    const operations = 2 * size ** 3;
    const seconds = slowest === 0 ? 0 : (3 * operations) / slowest;
    if (!clock.allows(`products of ${size} in ${precision}`, 2 * Math.max(seconds, SPAN))) break;
    const [x, weight] = [noise(size, 40_503), noise(size, 30_011)];
    const forward = await operationsPerSecond(operations, () => linear(x, weight, null, precision));
    const gradient = tf.grads((a: tf.Tensor, b: tf.Tensor) =>
      linear(a as never, b as never, null, precision),
    );
    const both = await operationsPerSecond(3 * operations, () => {
      const [dx, dWeight] = gradient([x, weight], x.clone()); // which it disposes of
      dWeight.dispose();
      return dx;
    });
    found.push({ precision, size, forward: forward / 1e12, training: both / 1e12 });
    tf.dispose([x, weight]);
    slowest = Math.min(forward, both);
  }
}

interface Step {
  model: ModelName;
  tokens: number;
  precision: Precision;
}

async function measureStep(
  backend: ChosenBackend,
  step: Step,
  clock: Clock,
  { products, steps }: Speed,
): Promise<void> {
  const { model, tokens, precision } = step;
  const rates = products.filter((product) => product.precision === precision);
  const fastest = Math.max(...rates.map(({ training }) => 1e12 * training));
  const { source, target } = matrixElements(modelConfig(model), vocabularyOf(model));
  const guess = (BESIDES * 6 * tokens * (source + target)) / fastest;
  if (clock.allows(`a step of ${model} in ${precision}`, 3 * guess))
    steps.push(await stepSpeed(backend, step));
}

async function stepSpeed(
  { memory }: ChosenBackend,
  { model, precision, tokens: least }: Step,
): Promise<StepSpeed> {
  const batch = randomBatch(least, vocabularyOf(model).target);
  const tokens = batch.targetOutput.length;
  const updater = newUpdater(model, precision);
  memory?.resetPeak();
  let done = 0;
  const update = async (count: number): Promise<number> => {
    const started = performance.now();
    for (let i = 0; i < count; i++) {
      const { loss, nll, gradientNorm } = updater.apply([batch], done++, 1e-4);
      if (i === count - 1) await gradientNorm.data();
      tf.dispose([loss, nll, gradientNorm]);
    }
    return (performance.now() - started) / 1000;
  };
  await update(1);
  const once = await update(1);
  const count = Math.min(20, Math.ceil((2 * SPAN) / once));
  const seconds = count === 1 ? once : (await update(count)) / count;
  updater.dispose();
  updater.model.dispose();
  const bytes = memory?.peak ?? null;
  return { model, precision, tokens, seconds, tokensPerSecond: tokens / seconds, bytes };
}
