// npm run bench:gpu -- what the program itself takes to keep a graphics card busy, and how much memory of the card it takes:
//   npm run bench:gpu                                   dispatches, batches, buffers and JavaScript an update
//   npm run bench:gpu -- --model base --tokens 4096     memory of a training with batches of so many target tokens
// The first computes on Dawn's null backend, which takes commands and does nothing; the second on no device at all, since
// memory is counted before any is taken. Both come to numbers that mean nothing.
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { parseArgs } from 'node:util';
import type { WebGpuBackend } from '../src/backend/webgpu/backend.js';
import { Device } from '../src/backend/webgpu/device.js';
import { registerDevice } from '../src/backend/webgpu/register.js';
import type { Precision } from '../src/common/precision.js';
import type { ModelConfig } from '../src/config/schema.js';
import type { Batch } from '../src/data/batch.js';
import type { Recompute } from '../src/model/pass.js';
import { Transformer, type VocabularySizes } from '../src/model/transformer.js';
import { tf } from '../src/ops/tf.js';
import { Updater } from '../src/train/update.js';
import {
  BATCH_TOKENS,
  MODELS,
  type ModelName,
  modelConfig,
  randomBatch,
  UPDATES,
  vocabularyOf,
} from '../src/workflows/self-test/models.js';

const USAGE = `npm run bench:gpu -- [options]
  --layers 6,18          layers of either stack of the models that are timed
  --updates N            updates that are timed (default 100)
  --model NAME           memory of one of ${Object.keys(MODELS).join(', ')}
  --tokens N             target tokens of its batches (default ${BATCH_TOKENS})
  --precision P          float32 (default), or what the card is to multiply in
  --recompute W          none (default), or layers
  --half                 a card with half precision
  --binding BYTES        largest part of a buffer that a program takes (default ${2 ** 31})`;

const { values: options } = parseArgs({
  options: {
    layers: { type: 'string', default: '6,18' },
    updates: { type: 'string', default: '100' },
    model: { type: 'string' },
    tokens: { type: 'string', default: String(BATCH_TOKENS) },
    precision: { type: 'string', default: 'float32' },
    recompute: { type: 'string', default: 'none' },
    half: { type: 'boolean', default: false },
    binding: { type: 'string', default: String(2 ** 31) },
    help: { type: 'boolean', default: false },
  },
});

/** Updates before anything is counted: programs are compiled, buffers made, and JavaScript is compiled for good. */
const WARMING = 200;

const backend = (): WebGpuBackend => tf.backend() as WebGpuBackend;

/** Trains a model; `each` is told of every update, once its commands are done. */
async function train(
  config: ModelConfig,
  vocabulary: VocabularySizes,
  batches: readonly Batch[],
  updates: number,
  each: () => void,
): Promise<void> {
  const model = Transformer.create(config, vocabulary, 1);
  model.precision = options.precision as Precision;
  model.recompute = options.recompute as Recompute;
  const updater = new Updater(model, UPDATES);
  for (let i = 0; i < updates; i++) {
    const { loss, nll, gradientNorm } = updater.apply([batches[i % batches.length]], i, 1e-4);
    await gradientNorm.data();
    tf.dispose([loss, nll, gradientNorm]);
    each();
  }
  updater.dispose();
  model.dispose();
}

const median = (list: readonly number[]): number => [...list].sort((a, b) => a - b)[list.length >> 1];

/** Milliseconds of processors, whatever else the machine does: of the thread that trains, and of all others. */
function spent(): { main: number; others: number } {
  const { user, system } = process.cpuUsage();
  const main = Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'latin1').split(' ')[0]) / 1e6;
  return { main, others: (user + system) / 1000 - main };
}

/** Narrow models: what a dispatch costs does not depend on the width, and the null backend has 512 MiB. */
async function measureTime(layers: number): Promise<void> {
  const config = { ...modelConfig('tiny'), encoder: { layers }, decoder: { layers } };
  const batches = [1, 2, 3, 4].map((seed) => randomBatch(1024, vocabularyOf('tiny').target, seed));
  const { encoder, pool } = backend();
  const now = () => ({ ...encoder.counts, ...spent() });
  const states: ReturnType<typeof now>[] = [];
  let bytes = 0;
  await train(config, vocabularyOf('tiny'), batches, WARMING + 1 + Number(options.updates), () => {
    states.push(now());
    bytes = pool.resident;
  });
  const ofUpdate = (name: keyof ReturnType<typeof now>): number =>
    median(states.slice(WARMING + 1).map((state, i) => state[name] - states[WARMING + i][name]));
  const dispatches = ofUpdate('dispatches');
  const time = (name: 'main' | 'others'): string =>
    `${ofUpdate(name).toFixed(1)} ms (${((1000 * ofUpdate(name)) / dispatches).toFixed(1)} µs a dispatch)`;
  console.log(
    `${layers}+${layers}: ${dispatches} dispatches, ${ofUpdate('batches')} batches, ${ofUpdate('buffers')} new buffers an update; ` +
      `the thread that trains ${time('main')}, that of the device and others ${time('others')}; buffers of ${megabytes(bytes)} MB`,
  );
}

/** A device that takes what it is sent and gives zeros. */
function noDevice(): Device {
  const binding = Number(options.binding);
  const limits = { binding, buffer: Number.MAX_SAFE_INTEGER, groups: 65_535, shared: 49_152 };
  const stub: Partial<Device> = {
    facts: { name: 'none', software: false, half: options.half, matrices: null, limits } as Device['facts'],
    check: () => {},
    run: () => {},
    read: async (_, bytes) => new ArrayBuffer(bytes),
    readSync: (_, bytes) => new ArrayBuffer(bytes),
  };
  return stub as Device;
}

async function measureMemory(name: ModelName): Promise<void> {
  const tokens = Number(options.tokens);
  const batches = [1, 2].map((seed) => randomBatch(tokens, vocabularyOf(name).target, seed));
  const { pool, encoder } = backend();
  const peaks: number[] = [];
  let [between, buffers, before, dispatches] = [0, 0, 0, 0];
  await train(modelConfig(name), vocabularyOf(name), batches, 3, () => {
    peaks.push(pool.peak);
    [between, buffers] = [pool.used, pool.resident];
    [before, dispatches] = [encoder.counts.dispatches, encoder.counts.dispatches - before];
    pool.resetPeak();
  });
  const [first, ...others] = peaks;
  console.log(
    `${name}, ${batches[0].source.tokens.length} + ${batches[0].targetOutput.length} tokens, ${options.precision}, recompute ${options.recompute}: ` +
      `most in use ${megabytes(Math.max(...others))} MB (first update ${megabytes(first)} MB), between updates ${megabytes(between)} MB; ` +
      `buffers of ${megabytes(buffers)} MB; ${dispatches} dispatches an update`,
  );
}

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(0);

/** @throws where there is no package `webgpu` */
async function nullDevice(): Promise<Device> {
  const device = await Device.open(null, ['backend=null']);
  if (device instanceof Device) return device;
  throw new Error(`${device.missing}. ${device.install}`);
}

if (options.help) console.log(USAGE);
else {
  await registerDevice(options.model === undefined ? await nullDevice() : noDevice());
  await tf.setBackend('webgpu');
  if (options.model !== undefined) await measureMemory(options.model as ModelName);
  else for (const layers of options.layers.split(',')) await measureTime(Number(layers));
}
process.exit();
