import process from 'node:process';
import { type Command, Option } from 'commander';
import { log } from '../common/log.js';
import { loadConfig } from '../config/load.js';
import { addConfigOptions, addOverride } from './config-options.js';

/** sacreBLEU's flags of one dash and several letters, which commander does not take. */
const SACREBLEU_SPELLINGS: Readonly<Record<string, string>> = {
  '-lc': '--lowercase',
  '-tok': '--tokenize',
  '-sl': '--sentence-level',
  '-sh': '--short',
  '-sv': '--smooth-value',
  '-tl': '--target-lang',
};

/** The arguments of `score` with sacreBLEU's flags spelled as commander takes them. */
export function spellOutScoreFlags(args: readonly string[]): string[] {
  const end = args.indexOf('--');
  return args.map((arg, i) => {
    const [flag, ...value] = arg.split('=');
    const spelled = end === -1 || i < end ? SACREBLEU_SPELLINGS[flag] : undefined;
    return spelled === undefined ? arg : [spelled, ...value].join('=');
  });
}

interface ScoreFlags {
  input?: string;
  metrics?: string[];
  config?: string[];
  force?: boolean;
  scoreOnly?: boolean;
  width?: string;
  format?: string;
  short?: boolean;
  sentenceLevel?: boolean;
  quiet?: boolean;
}

/** Adds `score`. Its defaults are the `score` section of a config, its flags those of sacreBLEU. */
export function addScore(program: Command): void {
  const command = program
    .command('score')
    .argument('<reference...>', 'A file for each reference, plain or .gz.')
    .description('Translations and references → BLEU as sacreBLEU gives it, by its flags.')
    .option('-i, --input <file>', 'The translations (default: standard input).')
    .option('-m, --metrics <name...>', 'What to compute: bleu (default: bleu).')
    .option('-b, --score-only', 'Print the number alone.')
    .option('-w, --width <n>', 'Decimals of the score (default: 1).')
    .option('-f, --format <name>', 'json or text (default: $SACREBLEU_FORMAT, else json).')
    .option('--short', 'Shorten the signature.')
    .option('--sentence-level', 'Print a score for each line.')
    .option('--force', 'Do not warn of translations that look tokenized.')
    .option('--config <file>', 'Take score.* and data.target-lang from a config; repeatable.', collect)
    .option('--quiet', 'Print warnings and errors only.');
  const overrides = addConfigOptions(command, ['score']);
  const targetLang = new Option('--target-lang <lang>', 'Language of the text; it chooses the tokenizer.');
  addOverride(command, targetLang, 'data.target-lang', overrides);
  const pair = new Option('-l, --language-pair <pair>', 'The same as a pair: de-en.');
  addOverride(command, pair, 'data.target-lang', overrides, undefined, (typed) => typed.split('-').at(-1)!);
  for (const [spelling, long] of Object.entries(SACREBLEU_SPELLINGS)) {
    const option = command.options.find((candidate) => candidate.long === long)!;
    option.flags = `${spelling}, ${option.flags}`; // what the help shows
  }
  command.action(async (references: string[], flags: ScoreFlags) => {
    log.setQuiet(flags.quiet === true);
    const { score, data } = loadConfig({ files: flags.config, sets: overrides }).config;
    const { runScore } = await import('./score.js');
    await runScore({
      references,
      input: flags.input,
      metrics: flags.metrics ?? ['bleu'],
      lowercase: score.lowercase,
      tokenize: score.tokenize ?? undefined,
      smoothMethod: score.smoothMethod,
      smoothValue: score.smoothValue ?? undefined,
      targetLang: data.targetLang,
      force: flags.force === true,
      scoreOnly: flags.scoreOnly === true,
      width: Number(flags.width ?? 1),
      format: flags.format ?? process.env.SACREBLEU_FORMAT ?? 'json',
      shortSignature: flags.short === true,
      sentenceLevel: flags.sentenceLevel === true,
    });
  });
}

function collect(value: string, previous: readonly string[] = []): string[] {
  return [...previous, value];
}
