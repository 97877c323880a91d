// npm run bench: our training step beside its GEMM floor and beside PyTorch's, in one run.
//
// The sides live in processes of their own and take turns, so that what else the machine does falls on all of them. Each
// takes the same batches. Data: the folder of --data (train.de, train.en, plain or .gz), by default Multi30k beside the
// project, else the toy corpus.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { packageRoot } from '../src/common/files.js';
import type { Precision } from '../src/common/precision.js';
import { planBatches } from '../src/data/batch-iterator.js';
import { ParallelDataset } from '../src/data/parallel-dataset.js';
import { writeToyCorpus } from '../src/data/toy-language.js';
import { MAX_TOKENS, MODELS, type ModelName, VOCABULARY } from './bench-model.js';
import { describe, type Measured, type Result, spread } from './bench-report.js';

const USAGE = `npm run bench -- [options]
  --models A,B,C     which models (default A,B,C)
  --precision P[,Q]  float32, bfloat16 (default float32); of two, the second beside the first
  --rounds N         timed steps of each side, in turns (default 7)
  --threads N        threads of each side (default: as many as there are)
  --data FOLDER      train.de and train.en
  --python FILE      an interpreter that has PyTorch (default /usr/bin/python3)
  --decode RUN       translate with a trained model instead, at beam 1 and 5
  --input FILE       what to translate
  --profile-ops      time by kernel of a step, and no comparison
  --json FILE        everything measured, for programs`;

const root = packageRoot();
const here = path.dirname(fileURLToPath(import.meta.url));
const work = path.join(root, '.bench');

const { values: options } = parseArgs({
  options: {
    models: { type: 'string', default: 'A,B,C' },
    precision: { type: 'string', default: 'float32' },
    rounds: { type: 'string', default: '7' },
    threads: { type: 'string', default: String(os.availableParallelism()) },
    data: { type: 'string' },
    python: { type: 'string', default: '/usr/bin/python3' },
    'profile-ops': { type: 'boolean', default: false },
    decode: { type: 'string' },
    input: { type: 'string' },
    json: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

const precisions = options.precision.split(',') as Precision[];

/** What a side answers to a step. */
interface Answer {
  seconds: number;
  tokens: number;
  loss?: number;
}

/** A side of the bench: a process that does a step for each line that it is sent. */
class Side {
  private readonly child;
  private readonly lines;
  readonly seconds: number[] = [];
  readonly tokens: number[] = [];
  loss: number | undefined;

  constructor(command: string, args: string[], environment: NodeJS.ProcessEnv = {}) {
    this.child = spawn(command, args, {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, ...environment },
    });
    this.lines = createInterface({ input: this.child.stdout })[Symbol.asyncIterator]();
  }

  private async ask<T>(line: string): Promise<T> {
    this.child.stdin.write(`${line}\n`);
    const { value, done } = await this.lines.next();
    if (done) throw new Error(`a side of the bench ended: ${this.child.spawnargs.join(' ')}`);
    return JSON.parse(value);
  }

  /** One step, kept unless it is for warming up. */
  async step(warming = false): Promise<void> {
    const { seconds, tokens, loss } = await this.ask<Answer>('step');
    this.loss ??= loss;
    if (warming) return;
    this.seconds.push(seconds);
    this.tokens.push(tokens);
  }

  /** What the side runs on. */
  async version(): Promise<string> {
    return (await this.ask<{ version: string }>('version')).version;
  }

  /** Peak memory in bytes; ends the side. */
  async end(): Promise<number> {
    const { bytes } = await this.ask<{ bytes: number }>('memory');
    this.child.stdin.end();
    return bytes;
  }
}

/** Folder of the text and its languages. */
function findText(): { folder: string; name: string; source: string; target: string } {
  const multi30k = options.data ?? path.join(root, '..', 'shared', 'data', 'multi30k');
  if (['train.de', 'train.de.gz'].some((file) => existsSync(path.join(multi30k, file)))) {
    return { folder: multi30k, name: path.basename(multi30k), source: 'de', target: 'en' };
  }
  const folder = path.join(work, 'toy');
  writeToyCorpus(folder, { pairs: 20_000 });
  return { folder, name: 'toy corpus', source: 'toa', target: 'tob' };
}

function run(command: string, args: string[]): void {
  const { status, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed:\n${stderr}`);
}

/** Writes the first batches of an epoch as lists of pairs. @returns the file */
function prepareBatches(count: number): { file: string; name: string } {
  const { folder, name, source, target } = findText();
  const destdir = path.join(work, 'data');
  rmSync(destdir, { recursive: true, force: true });
  const vocabulary = name === 'toy corpus' ? 300 : VOCABULARY - 8; // fairseq's dictionary adds four and pads to eight
  run(process.execPath, [
    ...[path.join(root, 'bin', 'admin-nmt.js'), 'preprocess', '--data-root', folder, '--trainpref', 'train'],
    ...['-s', source, '-t', target, '--destdir', destdir, '--vocab-size', String(vocabulary)],
  ]);
  const data = ParallelDataset.open(destdir, 'train', source, target);
  const plan = planBatches(data, {
    ...{ maxTokens: MAX_TOKENS, maxPositions: 512, seed: 1, epoch: 1, rank: 0, worldSize: 1, shuffle: true },
  });
  const batches = [...plan].slice(0, count).map((indices) =>
    Array.from(indices, (index) => {
      const pair = data.pair(index);
      return { source: [...pair.source], target: [...pair.target] };
    }),
  );
  data.close();
  const file = path.join(work, 'batches.json');
  writeFileSync(file, JSON.stringify(batches));
  return { file, name };
}

/** glibc keeps freed memory instead of giving it back after every step: PyTorch is much faster with that. */
const TUNED = {
  MALLOC_MMAP_THRESHOLD_: String(2 ** 32),
  MALLOC_TRIM_THRESHOLD_: String(2 ** 36),
  MALLOC_TOP_PAD_: String(2 ** 28),
};

function startPyTorch(model: ModelName, file: string, precision: Precision): Side | undefined {
  const { width, inner, heads, encoder: layers } = MODELS[model];
  if (spawnSync(options.python, ['-c', 'import torch']).status !== 0) return undefined;
  const script = path.join(root, 'scripts', 'bench-pytorch.py');
  const sizes = [width, inner, heads, layers, VOCABULARY].map(String);
  return new Side(options.python, [script, ...sizes, file, options.threads, precision], {
    ...TUNED,
    OMP_NUM_THREADS: options.threads,
  });
}

async function measure(model: ModelName, file: string): Promise<Result> {
  const worker = (kind: string, precision: Precision): Side =>
    new Side(process.execPath, [
      ...[path.join(here, 'bench-worker.js'), kind, model, file, options.threads, precision],
    ]);
  const groups = precisions.map((precision) => ({
    ...{ precision, floor: worker('floor', precision), step: worker('step', precision) },
    peer: startPyTorch(model, file, precision),
  }));
  const sides = groups.flatMap(({ floor, step, peer }) => [
    floor,
    step,
    ...(peer === undefined ? [] : [peer]),
  ]);
  for (const side of sides) for (let i = 0; i < WARMING; i++) await side.step(true);
  for (let round = 0; round < Number(options.rounds); round++) for (const side of sides) await side.step();
  const ours: Measured[] = [];
  for (const { precision, floor, step, peer } of groups) {
    const over = (seconds: number[]): number[] => seconds.map((each, i) => each / step.seconds[i]);
    const measured: Measured = {
      ...{ precision, floorSeconds: floor.seconds, stepSeconds: step.seconds, tokens: step.tokens },
      ...{ efficiency: over(floor.seconds), bytes: await step.end(), loss: step.loss },
    };
    await floor.end();
    if (peer !== undefined) {
      const version = await peer.version();
      measured.peer = {
        ...{ version, seconds: peer.seconds, ratio: over(peer.seconds), bytes: await peer.end() },
      };
    }
    ours.push(measured);
  }
  return { model, ours };
}

/** Steps before the timing starts: the first one gets its memory. */
const WARMING = 2;

/** Sentences a second of `translate`, as it says itself: loading the model left out. */
function translate(run: string, input: string, beam: number): number {
  const { status, stderr } = spawnSync(
    process.execPath,
    [
      ...[path.join(root, 'bin', 'admin-nmt.js'), 'translate', run, '--input', input],
      ...['--output', path.join(work, 'hypotheses'), '--beam', String(beam), '--threads', options.threads],
    ],
    { encoding: 'utf8' },
  );
  const rate = /\(([\d.]+) sentences\/s/.exec(stderr)?.[1];
  if (status !== 0 || rate === undefined) throw new Error(`translate failed:\n${stderr}`);
  return Number(rate);
}

function measureDecoding(run: string, rounds: number): void {
  if (options.input === undefined) throw new Error('--decode needs --input, the text to translate');
  const rates = new Map([1, 5].map((beam): [number, number[]] => [beam, []]));
  for (let round = 0; round < rounds; round++) {
    for (const [beam, list] of rates) list.push(translate(run, options.input, beam));
  }
  for (const [beam, list] of rates) console.log(`beam ${beam}: ${spread(list, 1)} sentences/s`);
}

async function main(): Promise<void> {
  if (options.help) return console.log(USAGE);
  mkdirSync(work, { recursive: true });
  const rounds = Number(options.rounds);
  if (options.decode !== undefined) return measureDecoding(options.decode, rounds);
  const { file, name } = prepareBatches(rounds + WARMING);
  const machine = `${os.cpus()[0].model}, ${options.threads} threads, load ${os.loadavg()[0].toFixed(2)}`;
  console.log(`${machine}; ${name}, batches of ${MAX_TOKENS} tokens, ${rounds} rounds: median (least–most)`);
  const models = options.models.split(',') as ModelName[];
  if (options['profile-ops']) {
    for (const model of models) {
      for (const precision of precisions) {
        const args = [path.join(here, 'bench-profile.js'), model, file, options.threads, precision];
        spawnSync(process.execPath, args, { stdio: 'inherit' });
      }
    }
    return;
  }
  const results: Result[] = [];
  for (const model of models) {
    results.push(await measure(model, file));
    console.log(describe(results[results.length - 1], options.python));
  }
  if (options.json !== undefined) {
    writeFileSync(options.json, `${JSON.stringify({ machine, data: name, results }, null, 1)}\n`);
  }
}

await main();
