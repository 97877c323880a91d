import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { initBackend } from '../src/backend/init.js';
import { DivergenceError } from '../src/common/errors.js';
import { log } from '../src/common/log.js';
import { Purpose, RandomStream } from '../src/common/rng.js';
import { camelizeKeys } from '../src/config/camel.js';
import { configSchema, type ModelConfig, type TrainConfig } from '../src/config/schema.js';
import type { PairSource } from '../src/data/batch-iterator.js';
import { EOS } from '../src/data/dictionary.js';
import { makeToyPairs } from '../src/data/toy-language.js';
import { layerPrefix, type Site, sitesOf } from '../src/model/scheme.js';
import { placeOfParameter } from '../src/model/site-names.js';
import { Transformer } from '../src/model/transformer.js';
import { tf } from '../src/ops/tf.js';
import { REPORT_FILES } from '../src/train/doctor/report.js';
import { INITIAL_STATE } from '../src/train/state.js';
import { Trainer } from '../src/train/trainer.js';
import type { AllReduce } from '../src/train/update.js';

/**
 * npm run campaign:doctor -- [--seeds 10] [--seed 1] [--threads 2]
 *
 * Trains small models with faults that are put into them, and asks whether the doctor names each rightly; and as many
 * healthy ones, of which it has to say nothing.
 */

/** What the doctor said of a run. */
interface Found {
  /** Lines of `event: doctor`. */
  events: Record<string, unknown>[];
  /** divergence.json, where training was given up. */
  report: { advice: { measure: string }[]; diagnosis: { cause: string } } | null;
}

interface Patient {
  model?: Partial<ModelConfig>;
  train?: Partial<TrainConfig>;
  /** Makes it ill before training starts. */
  infect?: (model: Transformer) => void;
  allReduce?: AllReduce;
}

/** A run with a fault, and what is wrong with what was said of it: undefined where all is right. */
interface Trial {
  name: string;
  patient: Patient;
  mistake: (found: Found) => string | undefined;
}

export interface DoctorCampaign {
  seed: number;
  /** Runs of each kind. */
  trials: Record<string, number>;
  /** What was named wrongly, and false alarms. */
  mistakes: string[];
}

const defaults = camelizeKeys(configSchema.parse({}));
const PAIRS = 600;
const TEXT = makeToyPairs(PAIRS, 1);
/** A word that is in one source sentence alone. */
const RARE_PAIR = 17;
const SOURCE = encode(TEXT.map(({ source }, i) => (i === RARE_PAIR ? `${source} hapax` : source)));
const TARGET = encode(TEXT.map(({ target }) => target));
const DATA: PairSource = {
  sourceLengths: Int32Array.from(SOURCE.sentences, ({ length }) => length),
  targetLengths: Int32Array.from(TARGET.sentences, ({ length }) => length),
  pair: (i) => ({ source: SOURCE.sentences[i], target: TARGET.sentences[i] }),
};

/** Words as ids, after the four special ones. */
function encode(lines: readonly string[]): { words: Map<string, number>; sentences: Int32Array[] } {
  const words = new Map<string, number>();
  const sentences = lines.map((line) => {
    const ids = line.split(' ').map((word) => {
      if (!words.has(word)) words.set(word, 4 + words.size);
      return words.get(word)!;
    });
    return Int32Array.from([...ids, EOS]);
  });
  return { words, sentences };
}

/** Runs so many trials of each kind of fault, and as many healthy ones; in the long form also what takes many updates. */
export async function doctorCampaign({
  seeds,
  seed,
  long,
  onTrial,
}: {
  seeds: number;
  seed: number;
  long: boolean;
  onTrial?: (name: string, mistake: string | undefined) => void;
}): Promise<DoctorCampaign> {
  const found: DoctorCampaign = { seed, trials: {}, mistakes: [] };
  for (let i = 0; i < seeds; i++) {
    const random = new RandomStream({ seed, step: i, purpose: Purpose.test });
    const quick = [badWeight, hugeWeight, backward, poisonedBatch, badGradient].map((make) => make(random));
    const slow = [...(i < FRAGILE.length ? [highRate(FRAGILE[i])] : []), ...(i === 0 ? [deepPostLn()] : [])];
    for (const trial of [...quick, healthy(random, long ? 800 : 350), ...(long ? slow : [])]) {
      const mistake = trial.mistake(await train(trial.patient, seed + i));
      onTrial?.(trial.name, mistake);
      found.trials[trial.name] = (found.trials[trial.name] ?? 0) + 1;
      if (mistake !== undefined) found.mistakes.push(`${trial.name}, seed ${seed + i}: ${mistake}`);
    }
  }
  return found;
}

async function train(
  { model: modelChanges, train: changes, infect, allReduce }: Patient,
  seed: number,
): Promise<Found> {
  const runDirectory = fs.mkdtempSync(path.join(tmpdir(), 'admin-nmt-doctor-'));
  const modelConfig: ModelConfig = {
    ...defaults.model,
    ...{ embedDim: 16, ffnEmbedDim: 32, attentionHeads: 2, encoder: { layers: 2 }, decoder: { layers: 2 } },
    ...{
      dropout: 0.05,
      attentionDropout: 0,
      activationDropout: 0,
      shareEmbeddings: 'none',
      maxPositions: 64,
    },
    ...{ omega: { ...defaults.model.omega, init: 'analytic' } },
    ...modelChanges,
  };
  const config: TrainConfig = {
    ...defaults.train,
    ...{ lr: 0.003, warmupUpdates: 100, maxTokens: 400, maxUpdate: 40, validateInterval: 0, saveInterval: 0 },
    ...changes,
  };
  const vocabulary = { source: SOURCE.words.size + 4, target: TARGET.words.size + 4 };
  const model = Transformer.create(modelConfig, vocabulary, seed);
  infect?.(model);
  const trainer = new Trainer(
    {
      ...{ config, seed, maxPositions: modelConfig.maxPositions, runDirectory, allReduce },
      origin: { settings: {}, dataHash: '', vocabulary: {} },
      ...{ train: DATA, valid: null, interrupted: () => undefined },
    },
    { model, state: INITIAL_STATE },
  );
  try {
    await trainer.run().catch((error) => {
      if (!(error instanceof DivergenceError)) throw error;
    });
    const report = path.join(runDirectory, REPORT_FILES.json);
    return {
      events: fs
        .readFileSync(path.join(runDirectory, 'metrics.jsonl'), 'utf8')
        .split('\n')
        .filter((line) => line.includes('"doctor"'))
        .map((line) => JSON.parse(line)),
      report: fs.existsSync(report) ? JSON.parse(fs.readFileSync(report, 'utf8')) : null,
    };
  } finally {
    trainer.dispose();
    model.dispose();
    fs.rmSync(runDirectory, { recursive: true });
  }
}

const LAYERS = { encoder: { layers: 2 }, decoder: { layers: 2 } };
const SITES = [...sitesOf(LAYERS, 'encoder'), ...sitesOf(LAYERS, 'decoder')];
const SCHEMES = ['admin', 'post-ln', 'pre-ln', 'deepnorm', 'rezero-post-ln'] as const;

/** Pre-LN goes on learning at 100 times the rate, if slowly: there is nothing to name. */
const FRAGILE = SCHEMES.filter((scheme) => scheme !== 'pre-ln');

const pick = <T>(random: RandomStream, values: readonly T[]): T =>
  values[Math.floor(random.nextUniform() * values.length)];

/** Overwrites one weight. */
function set(model: Transformer, name: string, change: (values: Float32Array) => void): void {
  const weight = model.weights.get(name)!;
  const values = Float32Array.from(weight.dataSync<'float32'>());
  change(values);
  tf.tidy(() => weight.assign(tf.tensor(values, weight.shape)));
}

function expectEvent(found: Found, expected: Record<string, unknown>): string | undefined {
  const [event] = found.events;
  if (event === undefined) return 'nothing was said';
  const wrong = Object.entries(expected).filter(([key, value]) => event[key] !== value);
  return wrong.length === 0
    ? undefined
    : `expected ${JSON.stringify(expected)}, found ${JSON.stringify(event)}`;
}

function expectAdvice({ report, events }: Found, measure: string): string | undefined {
  const advice = (report?.advice ?? events.flatMap(({ advice }) => advice ?? [])) as { measure: string }[];
  const given = advice.map((entry) => entry.measure);
  return given.includes(measure)
    ? undefined
    : `expected the advice ${measure}, found ${given.join() || 'none'}`;
}

/** One number of a parameter of a random sublayer is NaN or infinite. */
function badWeight(random: RandomStream): Trial {
  const residual = pick(random, SCHEMES);
  const site = pick(random, SITES);
  let name = '';
  return {
    name: 'a weight that is not finite',
    patient: {
      model: { residual },
      infect: (model) => {
        const own = [...model.weights.keys()].filter((key) => isOf(key, site));
        name = pick(random, own);
        const value = pick(random, [Number.NaN, Number.POSITIVE_INFINITY]);
        set(model, name, (values) => {
          values[Math.floor(random.nextUniform() * values.length)] = value;
        });
      },
    },
    mistake: (found) =>
      expectEvent(found, { finding: 'skipped', cause: 'weight', parameter: name, ...site }) ??
      expectAdvice(found, 'checkpoint'),
  };
}

function isOf(parameter: string, { stack, layer, sublayer }: Site): boolean {
  const place = placeOfParameter(parameter);
  return place.stack === stack && place.layer === layer && place.sublayer === sublayer;
}

/** Finite weights of a branch that overflow in the forward pass. */
function hugeWeight(random: RandomStream): Trial {
  const site = pick(random, SITES);
  const prefix = layerPrefix(site.stack, site.layer);
  const name = prefix + (site.sublayer === 'fc' ? 'fc2.weight' : `${site.sublayer}_attn.out_proj.weight`);
  return {
    name: 'a branch that overflows',
    patient: {
      infect: (model) => set(model, name, (values) => values.fill(3e38)),
    },
    mistake: (found) =>
      expectEvent(found, { finding: 'skipped', cause: 'model', what: 'branch', side: 'forward', ...site }),
  };
}

/** A feed-forward branch whose output is of usual size, but not the gradient on its way back through it. */
function backward(random: RandomStream): Trial {
  const site = pick(
    random,
    SITES.filter(({ sublayer }) => sublayer === 'fc'),
  );
  const prefix = layerPrefix(site.stack, site.layer);
  return {
    name: 'a gradient that overflows',
    patient: {
      infect: (model) => {
        set(model, `${prefix}fc1.weight`, (values) => values.fill(0));
        set(model, `${prefix}fc1.bias`, (values) => values.fill(1e-37));
        set(model, `${prefix}fc2.weight`, (values) =>
          values.forEach((_, i) => {
            values[i] = random.nextUniform() < 0.5 ? 3e38 : -3e38;
          }),
        );
      },
    },
    mistake: (found) =>
      expectEvent(found, { finding: 'skipped', cause: 'model', what: 'gradient', side: 'backward', ...site }),
  };
}

/** A word of one sentence whose embedding overflows. */
function poisonedBatch(random: RandomStream): Trial {
  const value = 1e38 * (2 + random.nextUniform());
  const row = SOURCE.words.get('hapax')!;
  return {
    name: 'a poisoned batch',
    patient: {
      infect: (model) =>
        set(model, 'encoder.embed_tokens.weight', (values) => {
          values.fill(value, row * model.config.embedDim, (row + 1) * model.config.embedDim);
        }),
    },
    mistake: (found) => {
      const pairs = found.events[0]?.pairs as number[] | undefined;
      if (found.report !== null) return 'training was given up for one batch';
      return (
        expectEvent(found, { finding: 'skipped', cause: 'batch', what: 'embeddings', stack: 'encoder' }) ??
        (pairs!.includes(RARE_PAIR) ? undefined : `pair ${RARE_PAIR} is not among ${pairs}`)
      );
    },
  };
}

/** A gradient that comes back wrong from another machine, once. */
function badGradient(random: RandomStream): Trial {
  const at = 5 + Math.floor(random.nextUniform() * 30);
  let updates = 0;
  return {
    name: 'a gradient that was wrong once',
    patient: {
      allReduce: (own) => {
        if (++updates !== at) return own;
        const gradients = own.gradients.map((gradient) => tf.mul(gradient, Number.NaN));
        tf.dispose(own.gradients);
        return { ...own, gradients };
      },
    },
    mistake: (found) =>
      found.report === null && found.events.length === 1
        ? expectEvent(found, { finding: 'skipped', cause: 'unknown', num_updates: at })
        : `${found.events.length} findings, expected one, and training to go on`,
  };
}

/** A hundred times the learning rate. */
function highRate(residual: ModelConfig['residual']): Trial {
  return {
    name: 'a learning rate of 100 times',
    patient: { model: { residual }, train: { lr: 0.3, maxUpdate: 600 } },
    mistake: (found) =>
      found.events.length === 0 && found.report === null ? 'nothing was said' : expectAdvice(found, 'lr'),
  };
}

/** What the paper is about, at a high learning rate. */
function deepPostLn(): Trial {
  return {
    name: 'Post-LN 18+18',
    patient: {
      model: {
        residual: 'post-ln',
        embedDim: 16,
        ffnEmbedDim: 32,
        encoder: { layers: 18 },
        decoder: { layers: 18 },
      },
      train: { lr: 0.02, warmupUpdates: 50, maxUpdate: 600 },
    },
    mistake: (found) => expectAdvice(found, 'admin'),
  };
}

/** A run in which nothing is wrong. */
function healthy(random: RandomStream, maxUpdate: number): Trial {
  const residual = pick(random, SCHEMES);
  return {
    name: 'a healthy run',
    patient: {
      model: { residual },
      train: { maxUpdate, clipNorm: pick(random, [0, 1]), optimizer: pick(random, ['adam', 'radam']) },
    },
    mistake: ({ events }) => (events.length === 0 ? undefined : `a false alarm: ${JSON.stringify(events)}`),
  };
}

if (
  process.argv[1] !== undefined &&
  import.meta.url === pathToFileURL(fs.realpathSync(process.argv[1])).href
) {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string', default: '10' },
      seed: { type: 'string', default: '1' },
      threads: { type: 'string', default: '2' },
    },
  });
  log.setQuiet(true);
  await initBackend('auto', Number(values.threads));
  const [seeds, seed] = [Number(values.seeds), Number(values.seed)];
  const onTrial = (name: string, mistake = 'right'): void => {
    process.stderr.write(`${name}: ${mistake}\n`);
  };
  const found = await doctorCampaign({ seeds, seed, long: true, onTrial });
  console.log(JSON.stringify(found, null, 1));
  process.exitCode = found.mistakes.length === 0 ? 0 : 1;
}
