import type { RandomStream } from '../src/common/rng.js';
import type { ModelConfig } from '../src/config/schema.js';
import { layerPrefix, type Site, sitesOf } from '../src/model/scheme.js';
import { placeOfParameter } from '../src/model/site-names.js';
import type { Transformer } from '../src/model/transformer.js';
import { tf } from '../src/ops/tf.js';
import { type Found, type Patient, RARE_PAIR, SOURCE } from './doctor-patient.js';

/** A run with a fault, and what is wrong with what was said of it: undefined where all is right. */
export interface Trial {
  name: string;
  patient: Patient;
  mistake: (found: Found) => string | undefined;
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
export function healthy(random: RandomStream, maxUpdate: number): Trial {
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

/** One of each kind of fault that shows within few updates. */
export function quickTrials(random: RandomStream): Trial[] {
  return [badWeight, hugeWeight, backward, poisonedBatch, badGradient].map((make) => make(random));
}

/** What takes many updates, in the round of this number. */
export function slowTrials(round: number): Trial[] {
  return [
    ...(round < FRAGILE.length ? [highRate(FRAGILE[round])] : []),
    ...(round === 0 ? [deepPostLn()] : []),
  ];
}
