import { type Command, InvalidArgumentError, Option } from 'commander';

interface DemoFlags {
  output: string;
  textOnly?: boolean;
  pairs?: number;
  seed?: number;
}

/**
 * Adds `demo`. What it does is imported when it runs.
 *
 * @param run runs a command line of the program
 */
export function addDemo(program: Command, run: (args: readonly string[]) => Promise<void>): void {
  program
    .command('demo')
    .description('A toy language → text, dataset, model, translations and their BLEU, in a few minutes.')
    .option('-o, --output <folder>', 'The folder for all of it.', 'admin-nmt-demo')
    .option('--text-only', 'Make the text and nothing else.')
    .addOption(count('--pairs <n>', 'Only make text, with this many pairs to train on (default: 6000).'))
    .addOption(count('--seed <n>', 'Only make text, from this seed (default: 1).'))
    .action(async ({ output, textOnly, ...text }: DemoFlags) => {
      const { runDemo } = await import('../workflows/demo.js');
      const { writeToyCorpus } = await import('../data/toy-language.js');
      if (textOnly === true) writeToyCorpus(output, text);
      else await runDemo(output, run);
    });
}

function count(flags: string, text: string): Option {
  return new Option(flags, text).implies({ textOnly: true }).argParser((typed) => {
    if (/^[1-9]\d{0,5}$/.test(typed)) return Number(typed);
    throw new InvalidArgumentError('Expected a whole number from 1.');
  });
}
