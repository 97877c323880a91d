import { z } from 'zod';
import { FIGURE_NAMES, nameScores } from '../common/validation-figures.js';
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

/** `train` of a config. */
export const trainSection = section(
  {
    'save-dir': folder('run', 'Run directory: config, metrics, checkpoints.'),
    'init-from': file(
      'Run directory, checkpoint or average whose weights a new run starts with; see docs/train.md on fine-tuning.',
    ),
    'reset-optimizer': flag(true, 'With init-from: the moments of the optimizer start at zero.'),
    'reset-scheduler': flag(
      true,
      'With init-from: updates are counted from 0, and with them learning rate, warmup and when to stop.',
    ),
    'reset-best': flag(true, 'With init-from: the best score so far is forgotten, and patience starts anew.'),
    'reset-data': flag(true, 'With init-from: the data are read from the start of epoch 1.'),
    grow: choice(
      ['none', 'stack', 'top'],
      'none',
      'With init-from a shallower model: new layers are copies of those below (stack), or initial ones (top).',
    ),
    freeze: texts(
      'Weights that are not trained, by patterns of their names such as encoder.* or *.embed_tokens.weight.',
    ),
    optimizer: choice(['adam', 'radam', 'sgd'], 'radam', 'Optimizer; weight decay is decoupled in all.'),
    lr: positive().default(0.0007).describe('Peak learning rate.'),
    'adam-betas': z
      .tuple([z.number().min(0).lt(1), z.number().min(0).lt(1)])
      .default([0.9, 0.98])
      .describe('β₁ and β₂.'),
    'adam-eps': positive().default(1e-8).describe('ε of Adam and RAdam.'),
    momentum: rate(0, 'Momentum of SGD.'),
    'weight-decay': amount().default(0).describe('Decoupled weight decay: p −= lr · weight-decay · p.'),
    'lr-scheduler': choice(
      ['inverse-sqrt', 'linear', 'polynomial', 'constant', 'cosine'],
      'inverse-sqrt',
      'How the learning rate moves after warmup.',
    ),
    'warmup-updates': count(
      4000,
      'Updates over which the learning rate rises linearly from warmup-init-lr to lr.',
    ),
    'warmup-init-lr': amount().default(1e-7).describe('Learning rate of the first update of the warmup.'),
    'end-lr': amount().default(0).describe('Learning rate at max-update for linear, polynomial and cosine.'),
    power: positive().default(1).describe('Exponent of the polynomial schedule.'),
    'min-lr': amount()
      .default(0)
      .describe('Training stops when the learning rate falls below this after warmup (0: never).'),
    'label-smoothing': rate(0.1, 'ε of label smoothing: (1−ε)·nll + ε/V·Σ(−log p).'),
    'max-tokens': z
      .union([whole(1), z.literal('auto')])
      .default(4096)
      .describe(
        'Most tokens in a batch, counted on its longer side; auto: as many as fit into train.memory.',
      ),
    memory: z
      .string()
      .min(1)
      .default('80%')
      .describe('Memory for max-tokens: auto: such as 8G, or 80% of what this process may use.'),
    'update-freq': count(1, 'Batches whose gradients are summed for one update.', 1),
    'batch-tokens': whole(1)
      .nullable()
      .default(null)
      .describe('Target tokens of an update, on average, in place of update-freq, which follows from it.'),
    'clip-norm': amount().default(0).describe('Clip the global gradient norm to this (0: off).'),
    'max-update': whole(1).nullable().default(null).describe('Stop after this many updates.'),
    'max-epoch': whole(1).nullable().default(null).describe('Stop after this many epochs.'),
    'stop-time': positive()
      .nullable()
      .default(null)
      .describe('Stop after this many minutes of training (validation included).'),
    patience: whole(1)
      .nullable()
      .default(null)
      .describe('Stop when best-checkpoint-metric did not improve for this many validations.'),
    'validate-first': flag(false, 'Validate before the first update, too.'),
    'validate-interval': count(1, 'Validate every this many epochs (0: never at the end of an epoch).'),
    'validate-interval-updates': count(0, 'Validate and save every this many updates (0: off).'),
    'validate-interval-minutes': minutes('Validate and save every this many minutes of training (0: off).'),
    'eval-bleu': flag(
      false,
      `Translate the validation split at each validation, and score it by ${nameScores()}.`,
    ),
    'eval-samples': count(3, 'Translations to show at each validation with eval-bleu.'),
    'best-checkpoint-metric': choice(
      FIGURE_NAMES,
      'loss',
      `What makes a validation the best, for checkpoint_best and patience; ${nameScores((name) => name)} need eval-bleu.`,
    ),
    'save-interval': count(1, 'Save a checkpoint every this many epochs (0: only last and best).'),
    'save-interval-updates': count(0, 'Save a checkpoint every this many updates (0: off).'),
    'save-interval-minutes': minutes('Save a checkpoint every this many minutes of training (0: off).'),
    'keep-last': count(5, 'Numbered checkpoints to keep (0: all).'),
    'keep-best': count(1, 'Checkpoints to keep by best-checkpoint-metric.', 1),
    'average-last': count(
      0,
      'At the end, average the last this many checkpoints and score the mean (0: off).',
    ),
    'average-best': count(0, 'The same of the best this many, at most keep-best.'),
    'ema-decay': z
      .number()
      .gt(0)
      .lt(1)
      .nullable()
      .default(null)
      .describe('Keep an exponential moving average of the weights with this decay, such as 0.999.'),
    'validate-weights': choice(
      ['live', 'ema'],
      'live',
      'Which weights are validated and, unless translate is told otherwise, translate: those of training or their moving average.',
    ),
    'log-interval': count(50, 'Updates between two lines of metrics.jsonl.', 1),
    tensorboard: flag(false, 'Write the metrics for TensorBoard as well, into <save-dir>/tensorboard.'),
    doctor: flag(
      true,
      'Watch every update: find the cause of what is not finite, warn of a loss that is stuck (see docs/train.md). Off, training stops at a loss or gradient that is not finite.',
    ),
    'max-skipped-updates': count(
      10,
      'Updates in a row whose loss or gradient is not finite, after which the doctor goes back or stops; each of them is skipped.',
      1,
    ),
    'rollback-lr-factor': z
      .number()
      .gt(0)
      .lt(1)
      .nullable()
      .default(null)
      .describe(
        'After max-skipped-updates, go back to the last good checkpoint with the learning rate times this (null: stop with a report).',
      ),
    'max-rollbacks': count(3, 'How often training may go back; then it stops with a report.'),
  },
  'Training.',
);
