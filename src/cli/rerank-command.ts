import { type Command, Option } from 'commander';
import { log } from '../common/log.js';
import type { Utility } from '../decode/minimum-risk.js';

interface RerankFlags {
  mbr: Utility;
  targetLang: string;
  best?: boolean;
  output: string;
  quiet?: boolean;
}

/** Adds `rerank`. What it does is imported when it runs. */
export function addRerank(program: Command): void {
  program
    .command('rerank')
    .argument(
      '<list>',
      'A list as Moses, Marian, fairseq or translate -f jsonl write it; - is standard input.',
    )
    .description('Translations of each sentence → the same, first what is most like all of them.')
    .addOption(
      new Option('--mbr <name>', 'How alike two are: chrF2, or sentence BLEU.')
        .choices(['chrf', 'bleu'])
        .default('chrf'),
    )
    .option('-l, --target-lang <lang>', 'Language of the translations, for the tokenizer of BLEU.', 'en')
    .option('--best', 'Print the best of each sentence alone, a line of text for each.')
    .option('-o, --output <file>', 'Where it goes, packed if .gz; - is standard output.', '-')
    .option('--quiet', 'Print warnings and errors only.')
    .action(async (list: string, { mbr, targetLang, best, output, quiet }: RerankFlags) => {
      log.setQuiet(quiet === true);
      const [{ rerank }, { openLineOutput }] = await Promise.all([
        import('../workflows/rerank.js'),
        import('./line-output.js'),
      ]);
      const openOutput = () => openLineOutput(output);
      await rerank(list, { utility: mbr, targetLang, best: best === true, openOutput });
    });
}
