import { z } from 'zod';
import { DECODING_PRECISIONS } from '../common/precision.js';
import { alignmentKeys } from './alignment-keys.js';
import type { CamelizeKeys } from './camel.js';
import { dataSection } from './data-section.js';
import { bound, type ClassifiedShape, free } from './key-facts.js';
import { modelSection } from './model-section.js';
import { searchKeys } from './search-keys.js';
import { serveSection } from './serve-section.js';
import { trainSection } from './train-section.js';
import { amount, choice, count, file, flag, paths, positive, section } from './values.js';

/**
 * The one schema of a config: types, defaults, help texts and the JSON Schema all come from here. Keys are
 * written as fairseq spells its flags (`max-tokens`); the code sees them in camelCase (`maxTokens`).
 */

/** Most threads of the native backend. */
export const MOST_THREADS = 256;

/** Of a sentence; all of them are translated side by side. */
const MOST_HYPOTHESES = 1000;

const decodeSection = section(
  {
    beam: free(count(5, 'Beam width; 1 is greedy search.', 1, MOST_HYPOTHESES)),
    nbest: free(count(1, 'Translations for each sentence (at most beam).', 1, MOST_HYPOTHESES), {
      unit: 'translations',
    }),
    lenpen: free(
      z
        .number()
        .min(-100)
        .max(100)
        .default(1)
        .describe('Length penalty as fairseq has it: the score is Σ log p / length^lenpen, </s> counted.'),
    ),
    'max-len-a': free(
      amount()
        .default(1.2)
        .describe('A translation has at most max-len-a · source length + max-len-b tokens.'),
    ),
    'max-len-b': free(count(10, 'See max-len-a.'), { unit: 'tokens' }),
    'min-len': free(count(1, 'Least tokens of a translation, </s> not counted.'), { unit: 'tokens' }),
    'max-tokens': free(count(4096, 'Most source tokens at a time.', 1), { unit: 'source tokens' }),
    'batch-size': free(count(256, 'Most sentences at a time.', 1), { unit: 'sentences' }),
    'buffer-size': free(count(2000, 'Most lines read ahead, to be grouped by length.', 1, 1_000_000), {
      unit: 'lines',
    }),
    tag: free(
      z
        .string()
        .min(1)
        .nullable()
        .default(null)
        .describe(
          'A token that is put before each source sentence, such as the tag of a corpus; null takes data.valid-tag.',
        ),
    ),
    ...searchKeys,
    ...alignmentKeys,
    streams: free(
      z
        .int()
        .min(1)
        .max(MOST_THREADS)
        .nullable()
        .default(null)
        .describe(
          'Searches side by side, each on one thread of the native backend; 1 is one on all threads, null chooses by the work there is.',
        ),
      { unit: 'searches' },
    ),
    precision: free(
      choice(
        DECODING_PRECISIONS,
        'float32',
        'What weights are rounded to and matrix products are computed in; see docs/precision.md.',
      ),
    ),
    ensemble: free(
      paths(
        'Further runs, or checkpoints in runs, of the same target vocabulary, which translate together with the run as an ensemble.',
      ),
    ),
    'ensemble-average': free(
      choice(
        ['prob', 'log-prob'],
        'prob',
        'What the models of an ensemble are averaged in: probabilities, as fairseq does, or their logarithms, as Marian does.',
      ),
    ),
    'ensemble-weights': free(
      z
        .array(positive())
        .default([])
        .describe(
          'How much each model of an ensemble counts, the run itself first; all alike where it is empty.',
        ),
    ),
    shortlist: free(
      file('Lexical shortlist of the run (admin-nmt shortlist) that translations keep to; null allows all.'),
    ),
  },
  'Translation.',
);

/** sacreBLEU's; those that need MeCab are refused with the reason when they are used. */
const BLEU_TOKENIZERS = '13a none char intl zh spm flores101 flores200 spBLEU-1K ja-mecab ko-mecab'.split(
  ' ',
);

const scoreSection = section(
  {
    tokenize: free(
      z
        .enum(BLEU_TOKENIZERS)
        .nullable()
        .default(null)
        .describe('BLEU tokenizer; null lets the target language choose (13a for most).'),
    ),
    'spm-model': free(file('SentencePiece model for spm, flores101, flores200 and spBLEU-1K.')),
    lowercase: free(flag(false, 'Compare in lower case.')),
    'smooth-method': free(choice(['exp', 'floor', 'add-k', 'none'], 'exp', 'Smoothing of BLEU.')),
    'smooth-value': free(
      amount()
        .nullable()
        .default(null)
        .describe('Value for floor and add-k; null takes the default of the method.'),
    ),
  },
  'BLEU.',
);

/** Names of the recipes of presets.ts. */
export const PRESET_NAMES = ['tiny', 'multi30k', 'iwslt14-de-en', 'wmt14-en-de', 'wmt14-en-fr'] as const;
export type PresetName = (typeof PRESET_NAMES)[number];

export const configSchema = z.strictObject({
  preset: free(
    z
      .enum(PRESET_NAMES)
      .nullable()
      .default(null)
      .describe('A named recipe to start from; what the file says overrides it.'),
  ),
  seed: bound(
    z
      .int()
      .min(0)
      .max(2 ** 32 - 1)
      .default(1)
      .describe('Seed of everything random.'),
  ),
  backend: free(
    choice(
      ['auto', 'native', 'webgpu', 'tensorflow', 'wasm', 'cpu'],
      'auto',
      'Tensor backend; auto takes the first of these that is there, and webgpu, a graphics card, for training alone and where it passes a test.',
    ),
  ),
  gpu: free(
    z
      .string()
      .nullable()
      .default(null)
      .describe(
        'Graphics card of the webgpu backend: its number or a part of its name; null takes the fastest.',
      ),
    { idle: { backend: ['native', 'tensorflow', 'wasm', 'cpu'] } },
  ),
  threads: free(
    z
      .int()
      .min(1)
      .max(MOST_THREADS)
      .nullable()
      .default(null)
      .describe(
        'Threads of the native backend, and of preprocess; null takes as many as the machine lets this process use.',
      ),
    { unit: 'threads' },
  ),
  data: dataSection,
  model: modelSection,
  train: trainSection,
  decode: decodeSection,
  score: scoreSection,
  serve: serveSection,
} satisfies ClassifiedShape);

/** A config as a file may hold it: any part of it. */
export type PartialConfig = z.input<typeof configSchema>;
/** A config as it is written: kebab-case keys, everything filled in. */
export type WrittenConfig = z.output<typeof configSchema>;
/** A config as the code reads it: the same tree in camelCase. */
export type Config = CamelizeKeys<WrittenConfig>;
/** A config whose batch size is settled: `max-tokens` is a number, and `update-freq` counts. */
export type SettledConfig = Config & { train: { maxTokens: number } };
export type DataConfig = Config['data'];
export type ModelConfig = Config['model'];
export type TrainConfig = SettledConfig['train'];
export type DecodeConfig = Config['decode'];
export type ServeConfig = Config['serve'];
export type ScoreConfig = Config['score'];
