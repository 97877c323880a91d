import { bound, free } from './key-facts.js';
import { DEFAULT_RESIDUAL, hasOmega, RESIDUALS } from './residual-schemes.js';
import { choice, count, file, flag, rate, section } from './values.js';

/** Where ω has no effect: in the schemes without it. */
const noOmega = { 'model.residual': RESIDUALS.filter((residual) => !hasOmega({ residual })) };

const omegaSection = section(
  {
    init: bound(
      choice(
        ['profiled', 'analytic'],
        'profiled',
        'Where the initial ω comes from: a profile of the first batch, or a formula of the depth.',
      ),
      { idle: noOmega },
    ),
    'output-change': bound(
      choice(
        ['log-n', 'constant', 'linear'],
        'log-n',
        'The analytic ω (as admin-torch): log-n is ω² = (N+1)/ln(N+1) − 1, constant is ω² = N, linear is ω = 1; N residual sublayers of the stack.',
      ),
      { idle: { ...noOmega, 'model.omega.init': ['profiled'] } },
    ),
    'as-official': bound(
      flag(
        false,
        'Count the padding of the batch in the variances that are profiled, as the official code does.',
      ),
    ),
    train: bound(flag(true, 'Train ω as a vector; false keeps the initial value.'), { idle: noOmega }),
    profile: free(
      file(
        'An admin-profile.json, the official profile.ratio.init or deepnmt’s init file to take ω from; null profiles into the run directory when needed.',
      ),
      { idle: { ...noOmega, 'model.omega.init': ['analytic'] } },
    ),
  },
  `ω, the rescaling of the shortcuts (only with residual: ${RESIDUALS.filter((residual) => hasOmega({ residual })).join(', ')}).`,
);

const stackSection = (name: string) =>
  section(
    { layers: bound(count(6, `Layers of the ${name}.`, 1, 10_000), { unit: 'layers' }) },
    `The ${name}.`,
  );

/** `model` of a config. */
export const modelSection = section(
  {
    residual: bound(
      choice(RESIDUALS, DEFAULT_RESIDUAL, 'How a sublayer is joined to its shortcut: see docs/model.md.'),
    ),
    omega: omegaSection,
    'embed-dim': bound(count(512, 'Width d of the model.', 2, 2 ** 16)),
    'ffn-embed-dim': bound(count(2048, 'Inner width of the feed-forward sublayers.', 1, 2 ** 18)),
    'attention-heads': bound(count(8, 'Attention heads; they divide embed-dim.', 1, 2 ** 12), {
      unit: 'heads',
    }),
    encoder: stackSection('encoder'),
    decoder: stackSection('decoder'),
    dropout: bound(rate(0.1, 'Dropout on embeddings and on each sublayer’s output.')),
    'attention-dropout': bound(rate(0.1, 'Dropout on attention weights.')),
    'activation-dropout': bound(rate(0.1, 'Dropout after the activation in feed-forward sublayers.')),
    'activation-fn': bound(
      choice(['relu', 'gelu', 'swish'], 'relu', 'Activation of the feed-forward sublayers.'),
    ),
    positions: bound(choice(['sinusoidal', 'learned'], 'sinusoidal', 'Position embeddings.')),
    'max-positions': bound(count(1024, 'Longest sentence in tokens, </s> included.', 2, 2 ** 20), {
      unit: 'tokens',
    }),
    'share-embeddings': bound(
      choice(
        ['all', 'decoder', 'none'],
        'all',
        'Tie encoder, decoder and output embeddings (all; needs a joint dictionary), decoder and output (decoder), or none.',
      ),
    ),
    'scale-embeddings': bound(flag(true, 'Multiply embeddings by √embed-dim.')),
    'output-bias': bound(flag(false, 'Add a bias to the output projection, as Marian does.')),
    'right-to-left': bound(flag(false, 'Write translations from their last token to their first.')),
    'decoder-start': bound(
      choice(
        ['eos', 'pad'],
        'eos',
        'Whose embedding the decoder reads before the first word: that of </s>, or that of <pad>, which is zero in models of Marian.',
      ),
    ),
  },
  'The Transformer.',
);
