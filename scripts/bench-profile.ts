// Where a step's time goes, by kernel: bench-profile MODEL BATCHES THREADS. Times lie around each kernel's call, so what
// remains of the step is tfjs and our own JavaScript.
import process from 'node:process';
import { initBackend } from '../src/backend/init.js';
import type { Precision } from '../src/common/precision.js';
import { tf } from '../src/ops/tf.js';
import { type ModelName, newUpdater, readBatches } from './bench-model.js';

const STEPS = 4;
const [name, file, threads, precision] = process.argv.slice(2) as [ModelName, string, string, Precision];

await initBackend('native', Number(threads));
const times = new Map<string, { milliseconds: number; calls: number }>();
let depth = 0;
for (const config of tf.getKernelsForBackend('native')) {
  const { kernelFunc, kernelName } = config;
  config.kernelFunc = (params) => {
    const started = performance.now();
    depth++;
    try {
      return kernelFunc(params);
    } finally {
      depth--;
      const entry = times.get(kernelName) ?? { milliseconds: 0, calls: 0 };
      if (depth === 0) entry.milliseconds += performance.now() - started;
      entry.calls++;
      times.set(kernelName, entry);
    }
  };
}
const batches = readBatches(file);
const updater = newUpdater(name, precision);
let total = 0;
for (let i = 0; i < STEPS + 2; i++) {
  if (i === 2) {
    times.clear();
    total = 0;
  }
  const started = performance.now();
  const { loss, nll, gradientNorm } = updater.apply([batches[i % batches.length]], i, 1e-4);
  tf.dispose([loss, nll, gradientNorm]);
  total += performance.now() - started;
}
const rows = [...times].sort((a, b) => b[1].milliseconds - a[1].milliseconds);
const kernels = rows.reduce((sum, [, { milliseconds }]) => sum + milliseconds, 0);
console.log(`${name}: ${(total / STEPS).toFixed(1)} ms a step`);
for (const [kernel, { milliseconds, calls }] of rows) {
  const share = ((100 * milliseconds) / total).toFixed(1);
  if (Number(share) < 0.1) continue;
  const figures = [(milliseconds / STEPS).toFixed(1).padStart(9), share.padStart(5)];
  console.log(`  ${figures[0]} ms ${figures[1]} %  ${String(calls / STEPS).padStart(5)} × ${kernel}`);
}
console.log(`  ${((total - kernels) / STEPS).toFixed(1).padStart(9)} ms         outside of kernels`);
