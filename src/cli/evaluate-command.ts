import { type Command, Option } from 'commander';
import { loadRunConfig } from '../config/load.js';
import { addCommon, begin, type Common } from './model-commands.js';

const FORMATS = ['text', 'jsonl', 'fairseq'] as const;

interface EvaluateFlags extends Common {
  source?: string;
  target?: string;
  nbest?: string;
  tokens?: boolean;
  feature: string;
  output?: string;
  checkpoint?: string[];
  weights?: 'live' | 'ema';
  format: (typeof FORMATS)[number];
  summary?: boolean;
}

/** The keys that matter to translations which are given. */
const KEYS = [
  ...['backend', 'gpu', 'threads'],
  ...[
    'decode.lenpen',
    'decode.max-tokens',
    'decode.batch-size',
    'decode.precision',
    'decode.ensemble',
    'decode.ensemble-average',
    'decode.ensemble-weights',
    'decode.alignment',
    'decode.alignment-unit',
    'decode.alignment-layer',
    'decode.alignment-head',
  ],
];

/** Adds `evaluate`. */
export function addEvaluate(program: Command): void {
  const command = program
    .command('evaluate')
    .argument('<run>', 'The run directory of train, or a checkpoint in it.')
    .description('Text and translations → log-probability of each, perplexity of all.')
    .option('-s, --source <file>', 'The text, plain or .gz; - is standard input.')
    .option('-t, --target <file>', 'Its translations, a line for each line.')
    .option('--nbest <file>', 'Or a list of them as Moses, Marian, fairseq or translate -f jsonl write it.')
    .option('--tokens', 'Score the tokens of the list as they stand, not its text.')
    .option(
      '--feature <name>',
      'What the score is called in the list; one of that name is replaced.',
      'Forced',
    )
    .option('-o, --output <file>', 'Where it goes, packed if .gz (default: standard output).')
    .option(
      '--checkpoint <name...>',
      'Checkpoints of the run; several come to a table (default: the best, else the last).',
    )
    .addOption(
      new Option(
        '--weights <name>',
        'Those of training, or their moving average (default: what the run validates).',
      ).choices(['live', 'ema']),
    )
    .addOption(
      new Option('-f, --format <name>', 'What to print of two texts.').choices(FORMATS).default('text'),
    )
    .option('--summary', 'Print the figures of the whole, and no lines.');
  const settings = addCommon(command, KEYS);
  command.action(async (run: string, options: EvaluateFlags) => {
    const loaded = begin(options, () => loadRunConfig(run, { sets: settings }));
    if (loaded === undefined) return;
    const [{ evaluateFiles }, { openLineOutput }] = await Promise.all([
      import('../workflows/evaluate/evaluate.js'),
      import('./line-output.js'),
    ]);
    const { source, target, nbest, checkpoint, weights, format, feature, output = '-' } = options;
    await evaluateFiles(run, {
      config: loaded.config,
      given: { source, target, nbest },
      checkpoints: checkpoint,
      summary: options.summary === true,
      tokens: options.tokens === true,
      openOutput: () => openLineOutput(output),
      ...{ weights, format, feature },
    });
  });
}
