import * as fs from 'node:fs';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { initBackend } from '../src/backend/init.js';
import { Purpose, RandomStream } from '../src/common/rng.js';
import { camelizeKeys } from '../src/config/camel.js';
import { configSchema } from '../src/config/schema.js';
import { pack } from '../src/data/batch.js';
import { EOS } from '../src/data/dictionary.js';
import { beamSearch } from '../src/decode/search.js';
import { IncrementalDecoder } from '../src/model/incremental.js';
import { Transformer } from '../src/model/transformer.js';

/** What each worker thread does, and what it is compared with. */
export interface Task {
  /** Threads of the native engine. */
  threads: number;
  /** Sentences to translate. */
  sentences: number;
}

/** What came of it. */
export interface Outcome {
  translations: number;
  /** Translations that differ in a bit from those of one thread alone. */
  different: number;
  /** Messages of workers that ended before their work was done. */
  failures: string[];
}

const VOCABULARY = 300;
const BATCH = 12;
const SEARCH = { beam: 4, lenpen: 1, maxLenA: 0, maxLenB: 10, minLen: 1, maxPositions: 64 };

/** Translates by a small model that was never trained; every figure of each translation, as text. */
async function translate(sentences: number): Promise<string[]> {
  const { model: config } = camelizeKeys(configSchema.parse({ preset: 'tiny' }));
  const vocabulary = { source: VOCABULARY, target: VOCABULARY };
  const size = { embedDim: 64, ffnEmbedDim: 128, attentionHeads: 4, maxPositions: SEARCH.maxPositions };
  const layers = { encoder: { layers: 1 }, decoder: { layers: 1 } };
  const model = Transformer.create({ ...config, ...size, ...layers, residual: 'post-ln' }, vocabulary, 1);
  const decoder = new IncrementalDecoder(model);
  const stream = new RandomStream({ seed: 9, step: 0, purpose: Purpose.test });
  const found: string[] = [];
  for (let first = 0; first < sentences; first += BATCH) {
    const batch = Array.from({ length: Math.min(BATCH, sentences - first) }, () => {
      const words = Array.from(
        { length: 1 + stream.nextBelow(12) },
        () => 4 + stream.nextBelow(VOCABULARY - 4),
      );
      return Int32Array.of(...words, EOS);
    });
    const results = await beamSearch(decoder, pack(batch), SEARCH);
    found.push(...results.map((hypotheses) => JSON.stringify(hypotheses)));
  }
  decoder.dispose();
  model.dispose();
  return found;
}

/** The work of one thread, with an engine of its own as far as it knows. */
async function work({ threads, sentences }: Task): Promise<string[]> {
  await initBackend('native', threads);
  return translate(sentences);
}

/** One worker thread: its translations, or why there are none. */
function inWorker(task: Task): Promise<string[] | Error> {
  return new Promise((resolve) => {
    const worker = new Worker(new URL(import.meta.url), { workerData: { translate: task } });
    worker.on('message', resolve);
    worker.on('error', resolve);
    worker.on('exit', (code) => resolve(new Error(`a worker ended with ${code}`)));
  });
}

/** Several worker threads of this process translate the same sentences at once, and what they say is compared with one thread. */
export async function workersCampaign(workers: number, task: Task): Promise<Outcome> {
  const expected = await work({ ...task, threads: 1 });
  const found = await Promise.all(Array.from({ length: workers }, () => inWorker(task)));
  const done = found.filter((lines) => !(lines instanceof Error)) as string[][];
  return {
    translations: done.reduce((sum, lines) => sum + lines.length, 0),
    different: done.flatMap((lines) => lines.filter((line, i) => line !== expected[i])).length,
    failures: found.flatMap((lines) => (lines instanceof Error ? [lines.message] : [])),
  };
}

/**
 * npm run campaign:workers -- [--workers 3] [--threads 2] [--translations 10000]
 *
 * Worker threads of one process, each with a model of its own and the native engine, translate at the same time.
 */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      workers: { type: 'string', default: '3' },
      threads: { type: 'string', default: '2' },
      translations: { type: 'string', default: '10000' },
    },
  });
  const workers = Number(values.workers);
  const sentences = Math.ceil(Number(values.translations) / workers);
  const found = await workersCampaign(workers, { threads: Number(values.threads), sentences });
  console.log(JSON.stringify(found));
  process.exitCode = found.different === 0 && found.failures.length === 0 ? 0 : 1;
}

if (!isMainThread && workerData?.translate !== undefined) {
  parentPort?.postMessage(await work(workerData.translate));
} else if (
  process.argv[1] !== undefined &&
  import.meta.url === pathToFileURL(fs.realpathSync(process.argv[1])).href
) {
  await main();
}
