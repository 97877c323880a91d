import { type Command, InvalidArgumentError, Option } from 'commander';
import { DEFAULT_LIMITS, LEAST_LIMITS, type ShortlistLimits } from '../common/shortlist-limits.js';
import { loadRunConfig } from '../config/load.js';
import { addCommon, begin, type Common } from './model-commands.js';

interface ShortlistFlags extends Common, ShortlistLimits {
  output?: string;
}

/** Adds `shortlist`. What it does is imported when it runs. */
export function addShortlist(program: Command): void {
  const command = program
    .command('shortlist')
    .argument('<run>', 'The run directory of train, or a checkpoint in it.')
    .description('Training pairs of a run → which target pieces translate each source piece.')
    .option('-o, --output <file>', 'The file to write (default: shortlist.safetensors in the run directory).')
    .addOption(count('first', 'Frequent target pieces that every translation may have.'))
    .addOption(count('best', 'Target pieces that each source piece may become.'))
    .addOption(count('pairs', 'Most training pairs to learn from, spread evenly.'));
  const settings = addCommon(command, ['data.destdir']);
  command.action(async (run: string, options: ShortlistFlags) => {
    const loaded = begin(options, () => loadRunConfig(run, { sets: settings }));
    if (loaded === undefined) return;
    const { makeShortlist } = await import('../workflows/shortlist.js');
    const { output, first, best, pairs } = options;
    makeShortlist(run, { config: loaded.config, output, first, best, pairs });
  });
}

function count(name: keyof ShortlistLimits, text: string): Option {
  const least = LEAST_LIMITS[name];
  const parse = (typed: string): number => {
    if (/^\d{1,9}$/.test(typed) && Number(typed) >= least) return Number(typed);
    throw new InvalidArgumentError(`Expected a whole number from ${least}.`);
  };
  return new Option(`--${name} <n>`, text).argParser(parse).default(DEFAULT_LIMITS[name]);
}
