import { type Command, InvalidArgumentError, Option } from 'commander';
import { log } from '../common/log.js';
import { SYMMETRIES, type Symmetry } from '../data/symmetrize.js';

interface AlignFlags {
  source: string;
  target?: string;
  output: string;
  iterations: number;
  symmetry: Symmetry;
  quiet?: boolean;
}

/** Adds `align`. What it does is imported when it runs. */
export function addAlign(program: Command): void {
  program
    .command('align')
    .description('A text and its translations → which word goes with which, learned from them alone.')
    .requiredOption('-s, --source <file>', 'The text, plain or .gz; or a .tsv with both.')
    .option('-t, --target <file>', 'Its translations, a line for each line.')
    .option(
      '-o, --output <file>',
      "Where the links go, in Pharaoh's format, packed if .gz; - is standard output.",
      '-',
    )
    .addOption(
      new Option('--iterations <n>', 'Rounds of learning, in each direction.')
        .default(5)
        .argParser((typed) => {
          if (/^[1-9]\d{0,3}$/.test(typed)) return Number(typed);
          throw new InvalidArgumentError('Expected a whole number from 1.');
        }),
    )
    .addOption(
      new Option('--symmetry <name>', 'How the links of both directions become one.')
        .choices(SYMMETRIES)
        .default(SYMMETRIES[0]),
    )
    .option('--quiet', 'Print warnings and errors only.')
    .action(async ({ output, quiet, ...options }: AlignFlags) => {
      log.setQuiet(quiet === true);
      const [{ alignText }, { openLineOutput }] = await Promise.all([
        import('../workflows/align.js'),
        import('./line-output.js'),
      ]);
      await alignText({ ...options, openOutput: () => openLineOutput(output) });
    });
}
