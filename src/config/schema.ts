import { z } from 'zod';
import type { CamelizeKeys } from './camel.js';
import { DEFAULT_RESIDUAL, hasOmega, RESIDUALS } from './residual-schemes.js';
import { trainSection } from './train-section.js';
import { amount, choice, count, file, flag, folder, rate, section } from './values.js';

/**
 * The one schema of a config: types, defaults, help texts and the JSON Schema all come from here. Keys are
 * written as fairseq spells its flags (`max-tokens`); the code sees them in camelCase (`maxTokens`).
 */

/** Most threads of the native backend. */
export const MOST_THREADS = 256;

const tokenizerSection = section(
  {
    model: file('An existing SentencePiece .model to use; null trains one on the training text.'),
    'vocab-size': count(8000, 'Pieces in a trained tokenizer, special ones included.', 8, 2 ** 20),
    joint: flag(true, 'One tokenizer and one dictionary for both languages; false trains one for each.'),
    'character-coverage': z
      .number()
      .gt(0)
      .max(1)
      .default(1)
      .describe('Share of the characters of the text that get a piece of their own.'),
    normalization: choice(
      ['nmt_nfkc', 'identity'],
      'nmt_nfkc',
      "SentencePiece's rule to normalise text before it is segmented.",
    ),
    'byte-fallback': flag(false, 'Spell characters without a piece as bytes instead of <unk>.'),
  },
  'The SentencePiece BPE tokenizer.',
);

const filterSection = section(
  {
    'min-length': count(1, 'Drop a pair when a side has fewer tokens than this.'),
    'max-length': count(175, 'Drop a pair when a side has more tokens than this.', 1),
    'max-ratio': z
      .number()
      .min(1)
      .max(1_000_000)
      .nullable()
      .default(null)
      .describe(
        'Drop a pair when one side has more than this many times the tokens of the other; null keeps all.',
      ),
    deduplicate: flag(false, 'Keep only the first of identical pairs.'),
  },
  'Which pairs of the training text are kept; validation and test text is never filtered.',
);

const cleanSection = section(
  {
    nfc: flag(false, 'Bring text to Unicode normalisation form C.'),
    whitespace: flag(false, 'Collapse runs of white space to one space and strip both ends.'),
  },
  'Hygiene before anything else sees a line, in training and in translation; everything is off by default.',
);

const dataSection = section(
  {
    'source-lang': z
      .string()
      .regex(/^[A-Za-z][\w-]*$/)
      .default('src')
      .describe('Language translated from; the suffix of its files.'),
    'target-lang': z
      .string()
      .regex(/^[A-Za-z][\w-]*$/)
      .default('tgt')
      .describe('Language translated to; the suffix of its files.'),
    root: folder('.', 'Folder that train, valid and test are relative to.', 0),
    train: file(
      'Training text: PREFIX for PREFIX.de and PREFIX.en (plain or .gz), or a .tsv with source and target columns.',
    ),
    valid: file('Validation text, as train.'),
    test: file('Test text, as train.'),
    destdir: folder(
      'data-bin',
      'Folder that preprocess writes and that profile and train read (fairseq mmap format).',
    ),
    prepared: flag(
      false,
      'destdir is an existing fairseq data-bin: use it as it is and make nothing from text.',
    ),
    'vocabulary-from': file(
      'Folder of a run or a dataset whose tokenizers and dictionaries are used as they are, for fine-tuning.',
    ),
    tokenizer: tokenizerSection,
    filter: filterSection,
    clean: cleanSection,
    'bpe-dropout': rate(
      0,
      'Probability that a BPE merge is skipped when training text is segmented anew each epoch.',
    ),
  },
  'The parallel text and how it becomes a dataset.',
);

const omegaSection = section(
  {
    init: choice(
      ['profiled', 'analytic'],
      'profiled',
      'Where the initial ω comes from: a profile of the first batch, or a formula of the depth.',
    ),
    'output-change': choice(
      ['log-n', 'constant', 'linear'],
      'log-n',
      'The analytic ω (as admin-torch): log-n is ω² = (N+1)/ln(N+1) − 1, constant is ω² = N, linear is ω = 1; N residual sublayers of the stack.',
    ),
    train: flag(true, 'Train ω as a vector; false keeps the initial value.'),
    profile: file(
      'An admin-profile.json or the official profile.ratio.init to take ω from; null profiles into the run directory when needed.',
    ),
  },
  `ω, the rescaling of the shortcuts (only with residual: ${RESIDUALS.filter((residual) => hasOmega({ residual })).join(', ')}).`,
);

const stackSection = (name: string) =>
  section({ layers: count(6, `Layers of the ${name}.`, 1, 10_000) }, `The ${name}.`);

const modelSection = section(
  {
    residual: choice(
      RESIDUALS,
      DEFAULT_RESIDUAL,
      'How a sublayer is joined to its shortcut: see docs/model.md.',
    ),
    omega: omegaSection,
    'embed-dim': count(512, 'Width d of the model.', 2, 2 ** 16),
    'ffn-embed-dim': count(2048, 'Inner width of the feed-forward sublayers.', 1, 2 ** 18),
    'attention-heads': count(8, 'Attention heads; they divide embed-dim.', 1, 2 ** 12),
    encoder: stackSection('encoder'),
    decoder: stackSection('decoder'),
    dropout: rate(0.1, 'Dropout on embeddings and on each sublayer’s output.'),
    'attention-dropout': rate(0.1, 'Dropout on attention weights.'),
    'activation-dropout': rate(0.1, 'Dropout after the activation in feed-forward sublayers.'),
    'activation-fn': choice(['relu', 'gelu'], 'relu', 'Activation of the feed-forward sublayers.'),
    positions: choice(['sinusoidal', 'learned'], 'sinusoidal', 'Position embeddings.'),
    'max-positions': count(1024, 'Longest sentence in tokens, </s> included.', 2, 2 ** 20),
    'share-embeddings': choice(
      ['all', 'decoder', 'none'],
      'all',
      'Tie encoder, decoder and output embeddings (all; needs a joint dictionary), decoder and output (decoder), or none.',
    ),
    'scale-embeddings': flag(true, 'Multiply embeddings by √embed-dim.'),
  },
  'The Transformer.',
);

/** Of a sentence; all of them are translated side by side. */
const MOST_HYPOTHESES = 1000;

const decodeSection = section(
  {
    beam: count(5, 'Beam width; 1 is greedy search.', 1, MOST_HYPOTHESES),
    nbest: count(1, 'Translations for each sentence (at most beam).', 1, MOST_HYPOTHESES),
    lenpen: z
      .number()
      .min(-100)
      .max(100)
      .default(1)
      .describe('Length penalty as fairseq has it: the score is Σ log p / length^lenpen, </s> counted.'),
    'max-len-a': amount()
      .default(1.2)
      .describe('A translation has at most max-len-a · source length + max-len-b tokens.'),
    'max-len-b': count(10, 'See max-len-a.'),
    'min-len': count(1, 'Least tokens of a translation, </s> not counted.'),
    'max-tokens': count(4096, 'Most source tokens in a batch.', 1),
    'batch-size': count(256, 'Most sentences in a batch.', 1),
  },
  'Translation.',
);

/** sacreBLEU's; those that need MeCab are refused with the reason when they are used. */
const BLEU_TOKENIZERS = '13a none char intl zh spm flores101 flores200 spBLEU-1K ja-mecab ko-mecab'.split(
  ' ',
);

const scoreSection = section(
  {
    tokenize: z
      .enum(BLEU_TOKENIZERS)
      .nullable()
      .default(null)
      .describe('BLEU tokenizer; null lets the target language choose (13a for most).'),
    'spm-model': file('SentencePiece model for spm, flores101, flores200 and spBLEU-1K.'),
    lowercase: flag(false, 'Compare in lower case.'),
    'smooth-method': choice(['exp', 'floor', 'add-k', 'none'], 'exp', 'Smoothing of BLEU.'),
    'smooth-value': amount()
      .nullable()
      .default(null)
      .describe('Value for floor and add-k; null takes the default of the method.'),
  },
  'BLEU.',
);

/** Names of the recipes of presets.ts. */
export const PRESET_NAMES = ['tiny', 'multi30k', 'iwslt14-de-en', 'wmt14-en-de', 'wmt14-en-fr'] as const;
export type PresetName = (typeof PRESET_NAMES)[number];

export const configSchema = z.strictObject({
  preset: z
    .enum(PRESET_NAMES)
    .nullable()
    .default(null)
    .describe('A named recipe to start from; what the file says overrides it.'),
  seed: z
    .int()
    .min(0)
    .max(2 ** 32 - 1)
    .default(1)
    .describe('Seed of everything random.'),
  backend: choice(
    ['auto', 'native', 'tensorflow', 'wasm', 'cpu'],
    'auto',
    'Tensor backend; auto takes the first that is there, in this order.',
  ),
  threads: z
    .int()
    .min(1)
    .max(MOST_THREADS)
    .nullable()
    .default(null)
    .describe('Threads of the native backend; null takes as many as the machine lets this process use.'),
  data: dataSection,
  model: modelSection,
  train: trainSection,
  decode: decodeSection,
  score: scoreSection,
});

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
export type ScoreConfig = Config['score'];
