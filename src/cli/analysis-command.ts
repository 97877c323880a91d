import process from 'node:process';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { log } from '../common/log.js';
import { SPLITS } from '../data/preprocess-options.js';
import { type AnalyzeOptions, MEASURES, type Measure } from '../workflows/analyze/options.js';
import { addConfigOptions } from './config-options.js';

type Flags = Omit<AnalyzeOptions, 'settings' | 'args'> & { quiet?: boolean };

/** Adds `analyze`. What it does is imported when it runs. */
export function addAnalyze(program: Command): void {
  const command = program
    .command('analyze')
    .argument('<what>', `${MEASURES.join(', ')}; several with commas between.`, parseMeasures)
    .argument('<target...>', 'YAML files of a config, or a run directory of train.')
    .description('A model → the figures of the paper: JSON, and a page with --html.')
    .option('-o, --output <file>', 'Where the JSON goes (default: standard output).')
    .option('--html <file>', 'Write the charts as a page.')
    .option(
      '--checkpoint <name...>',
      'Checkpoints of the run; init is its initial weights, all is init and every numbered one (default: the best, else the last).',
    )
    .option('--schemes <name...>', 'Residual schemes to look at side by side, at initialisation.')
    .addOption(
      new Option('--split <name>', 'Where the sentences come from.').choices(SPLITS).default('train'),
    )
    .addOption(count('--batch <n>', 'Which batch of the split, from 1.', 1))
    .option('--with-dropout', 'Measure with dropout on; it is off otherwise.')
    .addOption(
      new Option(
        '--depths <n...>',
        'output-change: layers of the encoder and of the decoder (default: 6 12 24 48 96).',
      ).argParser(appendCount),
    )
    .addOption(
      new Option(
        '--deltas <x...>',
        'output-change: how far each weight moves; along the gradient a hundredth of it (default: 1e-4).',
      ).argParser(appendNumber),
    )
    .addOption(count('--seeds <n>', 'output-change: how many seeds, from seed on.', 3))
    .addOption(count('--steps <n>', 'gradients, updates: how many updates to make.', 20))
    .option('--quiet', 'Print warnings and errors only.');
  const settings = addConfigOptions(command, [
    'preset',
    'seed',
    'backend',
    'gpu',
    'threads',
    'data',
    'model',
    'train',
  ]);
  command.action(async (what: Measure[], targets: string[], { quiet, ...flags }: Flags) => {
    log.setQuiet(quiet === true);
    const { analyze, formatAnalysis } = await import('../workflows/analyze/analyze.js');
    const analysis = await analyze(what, targets, { ...flags, settings, args: process.argv.slice(2) });
    if (flags.output === undefined && flags.html === undefined)
      process.stdout.write(formatAnalysis(analysis));
  });
}

function count(flags: string, text: string, fallback: number): Option {
  return new Option(flags, text).argParser(parseCount).default(fallback);
}

function parseCount(typed: string): number {
  if (/^[1-9]\d{0,5}$/.test(typed)) return Number(typed);
  throw new InvalidArgumentError('Expected a whole number from 1.');
}

function appendCount(typed: string, before: number[] = []): number[] {
  return [...before, parseCount(typed)];
}

function appendNumber(typed: string, before: number[] = []): number[] {
  const value = Number(typed);
  if (value > 0 && value <= 1) return [...before, value];
  throw new InvalidArgumentError('Expected a number above 0 and up to 1.');
}

function parseMeasures(typed: string): Measure[] {
  const names = typed.split(',').filter(Boolean);
  const unknown = names.find((name) => !(MEASURES as readonly string[]).includes(name));
  if (names.length === 0 || unknown !== undefined)
    throw new InvalidArgumentError(`Expected some of ${MEASURES.join(', ')}.`);
  return names as Measure[];
}
