import { z } from 'zod';
import { BATCH_BY } from '../common/batch-by.js';
import { TRAINING_PRECISIONS } from '../common/precision.js';
import { FIGURE_NAMES, nameScores } from '../common/validation-figures.js';
import { BATCH_UNIT, bound, changeable, free } from './key-facts.js';
import {
  amount,
  choice,
  count,
  file,
  flag,
  folder,
  positive,
  rate,
  section,
  texts,
  whole,
} from './values.js';

const minutes = (text: string) => amount().default(0).describe(text);

/** Of keys that have no effect without init-from. */
const forInitFrom = { idle: { 'train.init-from': [null] } };

/** `train` of a config. */
export const trainSection = section(
  {
    'save-dir': free(folder('run', 'Run directory: config, metrics, checkpoints.')),
    'init-from': free(
      file(
        'Run directory, checkpoint or average whose weights a new run starts with; see docs/train.md on fine-tuning.',
      ),
    ),
    'reset-optimizer': free(
      flag(true, 'With init-from: the moments of the optimizer start at zero.'),
      forInitFrom,
    ),
    'reset-scheduler': free(
      flag(
        true,
        'With init-from: updates are counted from 0, and with them learning rate, warmup and when to stop.',
      ),
      forInitFrom,
    ),
    'reset-best': free(
      flag(true, 'With init-from: the best score so far is forgotten, and patience starts anew.'),
      forInitFrom,
    ),
    'reset-data': free(
      flag(true, 'With init-from: the data are read from the start of epoch 1.'),
      forInitFrom,
    ),
    grow: free(
      choice(
        ['none', 'stack', 'top'],
        'none',
        'With init-from a shallower model: new layers are copies of those below (stack), or initial ones (top).',
      ),
    ),
    freeze: bound(
      texts(
        'Weights that are not trained, by patterns of their names such as encoder.* or *.embed_tokens.weight.',
      ),
    ),
    optimizer: bound(
      choice(['adam', 'radam', 'sgd'], 'radam', 'Optimizer; weight decay is decoupled in all.'),
    ),
    precision: changeable(
      choice(
        TRAINING_PRECISIONS,
        'float32',
        'What matrix products of updates and validations are computed in; see docs/precision.md.',
      ),
    ),
    recompute: free(
      choice(
        ['none', 'layers'],
        'none',
        'What the backward pass computes again: layers keeps only the input of each layer, for less memory and about a third more time, to the same bits.',
      ),
    ),
    lr: changeable(positive().default(0.0007).describe('Peak learning rate.')),
    'adam-betas': changeable(
      z
        .tuple([z.number().min(0).lt(1), z.number().min(0).lt(1)])
        .default([0.9, 0.98])
        .describe('β₁ and β₂.'),
      { idle: { 'train.optimizer': ['sgd'] } },
    ),
    'adam-eps': changeable(positive().default(1e-8).describe('ε of Adam and RAdam.'), {
      idle: { 'train.optimizer': ['sgd'] },
    }),
    momentum: changeable(rate(0, 'Momentum of SGD.'), { idle: { 'train.optimizer': ['adam', 'radam'] } }),
    'weight-decay': changeable(
      amount().default(0).describe('Decoupled weight decay: p −= lr · weight-decay · p.'),
    ),
    'lr-scheduler': changeable(
      choice(
        ['inverse-sqrt', 'linear', 'polynomial', 'constant', 'cosine'],
        'inverse-sqrt',
        'How the learning rate moves after warmup.',
      ),
    ),
    'warmup-updates': changeable(
      count(4000, 'Updates over which the learning rate rises linearly from warmup-init-lr to lr.'),
      { unit: 'updates' },
    ),
    'warmup-init-lr': changeable(
      amount().default(1e-7).describe('Learning rate of the first update of the warmup.'),
    ),
    'end-lr': changeable(
      amount().default(0).describe('Learning rate at max-update for linear, polynomial and cosine.'),
    ),
    power: changeable(positive().default(1).describe('Exponent of the polynomial schedule.')),
    'min-lr': changeable(
      amount()
        .default(0)
        .describe('Training stops when the learning rate falls below this after warmup (0: never).'),
    ),
    'label-smoothing': bound(rate(0.1, 'ε of label smoothing: (1−ε)·nll + ε/V·Σ(−log p).')),
    'guided-alignment': bound(
      amount()
        .default(0)
        .describe(
          'Weight of the cross-entropy of an attention and the alignments of the dataset (data.align-suffix), such as 0.05: it trains the attention by which decode.alignment-layer and -head align; 0 for none.',
        ),
    ),
    'max-tokens': bound(
      z
        .union([whole(1), z.literal('auto')])
        .default(4096)
        .describe(
          'Most tokens in a batch, counted on its longer side; auto: as many as fit into train.memory.',
        ),
      { unit: BATCH_UNIT },
    ),
    'batch-by': bound(
      choice(
        BATCH_BY,
        'tokens',
        'What max-tokens counts: the tokens of a side, or (padded-tokens) sentences × longest sentence, which gives the batches of fairseq; see docs/train.md.',
      ),
    ),
    memory: free(
      z
        .string()
        .min(1)
        .default('80%')
        .describe(
          'Memory for max-tokens: auto: such as 8G, which is of the graphics card where one trains, or 80% of what this process may use.',
        ),
    ),
    'update-freq': bound(count(1, 'Batches whose gradients are summed for one update.', 1), {
      unit: 'batches',
    }),
    // Free, as max-tokens and update-freq are what counts once the run has started.
    'batch-tokens': free(
      whole(1)
        .nullable()
        .default(null)
        .describe('Target tokens of an update, on average, in place of update-freq, which follows from it.'),
      { unit: 'target tokens' },
    ),
    'clip-norm': changeable(amount().default(0).describe('Clip the global gradient norm to this (0: off).')),
    'max-update': changeable(whole(1).nullable().default(null).describe('Stop after this many updates.'), {
      unit: 'updates',
    }),
    'max-epoch': changeable(whole(1).nullable().default(null).describe('Stop after this many epochs.'), {
      unit: 'epochs',
    }),
    'stop-time': changeable(
      positive()
        .nullable()
        .default(null)
        .describe('Stop after this many minutes of training (validation included).'),
      { unit: 'minutes' },
    ),
    patience: changeable(
      whole(1)
        .nullable()
        .default(null)
        .describe('Stop when best-checkpoint-metric did not improve for this many validations.'),
      { unit: 'validations' },
    ),
    'validate-first': free(flag(false, 'Validate before the first update, too.')),
    'validate-interval': free(
      count(1, 'Validate every this many epochs (0: never at the end of an epoch).'),
      { unit: 'epochs' },
    ),
    'validate-interval-updates': free(count(0, 'Validate and save every this many updates (0: off).'), {
      unit: 'updates',
    }),
    'validate-interval-minutes': free(
      minutes('Validate and save every this many minutes of training (0: off).'),
      { unit: 'minutes' },
    ),
    'eval-bleu': free(
      flag(false, `Translate the validation split at each validation, and score it by ${nameScores()}.`),
    ),
    'eval-samples': free(count(3, 'Translations to show at each validation with eval-bleu.'), {
      unit: 'translations',
    }),
    'best-checkpoint-metric': changeable(
      choice(
        FIGURE_NAMES,
        'loss',
        `What makes a validation the best, for checkpoint_best and patience; ${nameScores((name) => name)} need eval-bleu.`,
      ),
    ),
    'save-interval': free(count(1, 'Save a checkpoint every this many epochs (0: only last and best).'), {
      unit: 'epochs',
    }),
    'save-interval-updates': free(count(0, 'Save a checkpoint every this many updates (0: off).'), {
      unit: 'updates',
    }),
    'save-interval-minutes': free(
      minutes('Save a checkpoint every this many minutes of training (0: off).'),
      { unit: 'minutes' },
    ),
    'rescue-interval': free(
      amount()
        .default(60)
        .describe('Keep a copy every this many seconds, to be saved where a graphics card is lost (0: off).'),
      { unit: 'seconds' },
    ),
    'keep-last': free(count(5, 'Numbered checkpoints to keep (0: all).'), { unit: 'checkpoints' }),
    'keep-best': free(count(1, 'Checkpoints to keep by best-checkpoint-metric.', 1), { unit: 'checkpoints' }),
    'average-last': free(
      count(0, 'At the end, average the last this many checkpoints and score the mean (0: off).'),
      { unit: 'checkpoints' },
    ),
    'average-best': free(count(0, 'The same of the best this many, at most keep-best.'), {
      unit: 'checkpoints',
    }),
    'ema-decay': changeable(
      z
        .number()
        .gt(0)
        .lt(1)
        .nullable()
        .default(null)
        .describe('Keep an exponential moving average of the weights with this decay, such as 0.999.'),
    ),
    'validate-weights': changeable(
      choice(
        ['live', 'ema'],
        'live',
        'Which weights are validated and, unless translate is told otherwise, translate: those of training or their moving average.',
      ),
    ),
    'distributed-timeout': free(
      positive()
        .default(600)
        .describe(
          'How long one of several processes waits for another before all end (see docs/distributed.md).',
        ),
      { unit: 'seconds' },
    ),
    'log-interval': free(count(50, 'Updates between two lines of metrics.jsonl.', 1), { unit: 'updates' }),
    tensorboard: free(flag(false, 'Write the metrics for TensorBoard as well, into <save-dir>/tensorboard.')),
    doctor: free(
      flag(
        true,
        'Watch every update: find the cause of what is not finite, warn of a loss that is stuck (see docs/train.md). Off, training stops at a loss or gradient that is not finite.',
      ),
    ),
    'max-skipped-updates': changeable(
      count(
        10,
        'Updates in a row whose loss or gradient is not finite, after which the doctor goes back or stops; each of them is skipped.',
        1,
      ),
      { unit: 'updates' },
    ),
    'rollback-lr-factor': changeable(
      z
        .number()
        .gt(0)
        .lt(1)
        .nullable()
        .default(null)
        .describe(
          'After max-skipped-updates, go back to the last good checkpoint with the learning rate times this (null: stop with a report).',
        ),
    ),
    'max-rollbacks': changeable(count(3, 'How often training may go back; then it stops with a report.')),
  },
  'Training.',
);
