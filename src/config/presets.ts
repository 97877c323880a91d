import type { PartialConfig, PresetName } from './schema.js';

/**
 * The recipes. Those of IWSLT'14 and WMT'14 are the ones of the official implementation (its `nmt-experiments`
 * pages, evaluation and preprocessing scripts); values that they leave out are the defaults of its fairseq.
 *
 * They deviate from the scripts in this: raw text goes through a SentencePiece model in place of Moses and
 * subword-nmt, with as many pieces as there were merges; numbers are 32-bit floats throughout; as many batches
 * are summed for an update (update-freq) as the script has GPUs times its --update-freq.
 */
export const presets: Readonly<Record<PresetName, PartialConfig>> = {
  // A small model for the toy corpus and for trying things out: about two minutes on one core.
  tiny: {
    data: { tokenizer: { 'vocab-size': 400 } },
    model: {
      residual: 'admin',
      'embed-dim': 64,
      'ffn-embed-dim': 128,
      'attention-heads': 4,
      encoder: { layers: 2 },
      decoder: { layers: 2 },
      dropout: 0.05,
      'attention-dropout': 0,
      'activation-dropout': 0,
      'max-positions': 256,
    },
    train: {
      lr: 0.003,
      'warmup-updates': 200,
      'max-tokens': 1500,
      'max-epoch': 20,
      'log-interval': 20,
      'keep-last': 2,
    },
  },

  // 29 000 captions: a small model with much dropout. Our own choice; it fits a laptop.
  multi30k: {
    data: { 'source-lang': 'de', 'target-lang': 'en', tokenizer: { 'vocab-size': 8000 } },
    model: {
      residual: 'admin',
      'embed-dim': 128,
      'ffn-embed-dim': 256,
      'attention-heads': 4,
      encoder: { layers: 3 },
      decoder: { layers: 3 },
      dropout: 0.2,
      'attention-dropout': 0.1,
      'activation-dropout': 0.1,
    },
    train: {
      lr: 0.003,
      'warmup-updates': 1000,
      'max-tokens': 2048,
      'max-epoch': 40,
      patience: 5,
    },
  },

  'iwslt14-de-en': {
    seed: 1111, // the first of the five seeds of the reported mean
    data: {
      'source-lang': 'de',
      'target-lang': 'en',
      tokenizer: { 'vocab-size': 10_000 }, // 10 000 joint merges
      filter: { 'min-length': 1, 'max-length': 175, 'max-ratio': 1.5 }, // clean-corpus-n -ratio 1.5, 1 175, of words
    },
    // transformer_iwslt_de_en, 6L-6L
    model: {
      residual: 'admin',
      'embed-dim': 512,
      'ffn-embed-dim': 1024,
      'attention-heads': 4,
      encoder: { layers: 6 },
      decoder: { layers: 6 },
      dropout: 0.3,
      'attention-dropout': 0.1,
      'activation-dropout': 0.1,
      'share-embeddings': 'all',
    },
    train: {
      ...officialTraining(),
      lr: 0.0007,
      'warmup-updates': 6000,
      'weight-decay': 0.0001,
      'max-tokens': 4096, // × 1 GPU × 1
      'max-update': 100_000,
      'max-epoch': 90, // the average is of epochs 81–90
    },
    decode: { ...officialDecoding(), beam: 5, lenpen: 1, 'batch-size': 128 },
    // The text of the recipe is lower-cased; ours need not be, so only the comparison is.
    score: { lowercase: true },
  },

  'wmt14-en-de': {
    seed: 1111,
    data: {
      'source-lang': 'en',
      'target-lang': 'de',
      tokenizer: { 'vocab-size': 32_764 }, // 32 764 joint merges
      filter: { 'min-length': 1, 'max-length': 80, 'max-ratio': 9 }, // clean-corpus-n 1 80, of words; 9 is its default ratio
    },
    // transformer_wmt_en_de; 6L-6L here, 12 and 18 of each in the paper
    model: { ...officialBase(), encoder: { layers: 6 }, decoder: { layers: 6 } },
    train: {
      ...officialTraining(),
      lr: 0.001,
      'warmup-updates': 8000,
      'min-lr': 1e-9,
      'max-tokens': 8192, // × 4 GPUs × 1
      'update-freq': 4,
      'max-update': 500_000,
      'max-epoch': 100, // the average is of epochs 91–100
    },
    decode: { ...officialDecoding(), beam: 4, lenpen: 0.6 },
  },

  'wmt14-en-fr': {
    seed: 1111,
    data: {
      'source-lang': 'en',
      'target-lang': 'fr',
      tokenizer: { 'vocab-size': 40_000 }, // 40 000 joint merges
      filter: { 'min-length': 1, 'max-length': 250, 'max-ratio': 1.5 }, // clean-corpus-n -ratio 1.5, 1 250, of pieces
    },
    // transformer_wmt_en_de; 6L-6L here, 60L-12L in configs/recipes/wmt14-en-fr-60l-12l.yaml
    model: { ...officialBase(), encoder: { layers: 6 }, decoder: { layers: 6 } },
    train: {
      ...officialTraining(),
      lr: 0.0007,
      'warmup-updates': 8000,
      'min-lr': 1e-9,
      'max-tokens': 8000, // × 8 GPUs × 10
      'update-freq': 80,
      'max-epoch': 50, // the average is of epochs 41–50
    },
    decode: { ...officialDecoding(), beam: 5, lenpen: 0.8 },
  },
};

/** What all official recipes share. */
function officialTraining(): PartialConfig['train'] {
  return {
    optimizer: 'radam',
    'adam-betas': [0.9, 0.98],
    'adam-eps': 1e-8,
    'weight-decay': 0,
    'lr-scheduler': 'inverse-sqrt',
    'warmup-init-lr': 1e-7,
    'label-smoothing': 0.1,
    'clip-norm': 0,
    'save-interval': 1,
    'keep-last': 10,
    'average-last': 10,
  };
}

/** transformer_wmt_en_de with the dropouts of the recipes. */
function officialBase(): PartialConfig['model'] {
  return {
    residual: 'admin',
    'embed-dim': 512,
    'ffn-embed-dim': 2048,
    'attention-heads': 8,
    dropout: 0.1,
    'attention-dropout': 0.1,
    'activation-dropout': 0.1,
    'share-embeddings': 'all',
  };
}

/** The evaluation scripts leave the length limits at fairseq's defaults. */
function officialDecoding(): PartialConfig['decode'] {
  return { 'max-len-a': 0, 'max-len-b': 200 };
}
