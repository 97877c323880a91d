// One side of the bench, in a process of its own: `floor MODEL BATCHES THREADS` or `step MODEL BATCHES THREADS`. For each
// line on stdin it does one step on the next batch and prints its seconds as JSON; `memory` prints the peak in bytes.
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { initBackend } from '../src/backend/init.js';
import type { NativeBackend } from '../src/backend/native/backend.js';
import { codeOf } from '../src/backend/native/kernels/call.js';
import type { Precision } from '../src/common/precision.js';
import type { Batch } from '../src/data/batch.js';
import { tf } from '../src/ops/tf.js';
import {
  type ModelName,
  newUpdater,
  type Product,
  productsOf,
  readBatches,
  VOCABULARY,
} from './bench-model.js';

/** The largest matrices: activations of the inner width, the embedding table, a block of logits. */
const MOST_FLOATS = 5000 * 1536;

const [kind, name, file, threads, precision] = process.argv.slice(2) as [
  ...[string, ModelName, string, string],
  Precision,
];

/** Memory for each use, made once: as much as any step needs. */
const memory = new Map<string, Float32Array>();

function floats(use: string, length: number): Float32Array {
  let known = memory.get(use);
  if (known === undefined) {
    const { addon } = tf.backend() as NativeBackend;
    known = new Float32Array(addon.allocate(4 * MOST_FLOATS)).fill(0.5);
    memory.set(use, known);
  }
  return known.subarray(0, length);
}

/** Forward product and both gradients of each linear map. */
function floorStep(products: Product[]): () => void {
  const { addon } = tf.backend() as NativeBackend;
  // The loss takes its rows in blocks, as the step does: the logits of all of them are never there at once.
  const blocks = products.flatMap((product) =>
    product.to === VOCABULARY
      ? Array.from({ length: Math.ceil(product.rows / 512) }, (_, i) => ({
          ...product,
          rows: Math.min(512, product.rows - 512 * i),
        }))
      : [product],
  );
  return () => {
    for (const { rows, from, to, times } of blocks) {
      const [x, y] = [floats('x', rows * from), floats('y', rows * to)];
      const [weight, slope] = [floats('w', from * to), floats('dw', from * to)];
      for (let i = 0; i < times; i++) {
        addon.linear(x, weight, null, y, rows, from, to, codeOf(precision));
        const dx = floats('dx', rows * from);
        addon.linearGradient(y, x, weight, dx, slope, null, rows, from, to, codeOf(precision));
      }
    }
  };
}

function trainingStep(): (batch: Batch) => number {
  const updater = newUpdater(name, precision);
  let updates = 0;
  return (batch) => {
    const { loss, nll, gradientNorm, tokens } = updater.apply([batch], updates++, 1e-4);
    const value = loss[0].dataSync()[0] / tokens / Math.LN2;
    tf.dispose([loss, nll, gradientNorm]);
    return value;
  };
}

function peakMemory(): number {
  const status = readFileSync('/proc/self/status', 'utf8');
  return 1024 * Number(/VmHWM:\s*(\d+)/.exec(status)?.[1]);
}

await initBackend('native', Number(threads));
const batches = readBatches(file);
const step =
  kind === 'floor'
    ? (
        (steps) => (_: Batch, i: number) =>
          void steps[i]()
      )(batches.map((batch) => floorStep(productsOf(name, batch))))
    : trainingStep();
let done = 0;
for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'memory') {
    console.log(JSON.stringify({ bytes: peakMemory() }));
    continue;
  }
  const place = done++ % batches.length;
  const started = performance.now();
  const loss = step(batches[place], place);
  const seconds = (performance.now() - started) / 1000;
  console.log(JSON.stringify({ seconds, tokens: batches[place].targetOutput.length, loss }));
}
process.exit();
