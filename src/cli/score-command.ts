import process from 'node:process';
import { type Command, Option } from 'commander';
import { UserError } from '../common/errors.js';
import { log } from '../common/log.js';
import type { Setting } from '../config/override.js';
import type { Config } from '../config/schema.js';
import { DEFAULT_RESAMPLES, DEFAULT_SEED, DEFAULT_TRIALS } from '../metrics/significance.js';
import { targetOfPair } from '../metrics/tokenizers/language.js';
import type { ScoreOptions } from '../workflows/score/score.js';
import { addKey, addOverride, addSet } from './config-flags.js';
import { SCORE_HEADING, SCORE_KEYS } from './score-keys.js';

/** sacreBLEU's flags of one dash and several letters, which commander does not take. */
const SACREBLEU_SPELLINGS: Readonly<Record<string, string>> = {
  '-lc': '--lowercase',
  '-tok': '--tokenize',
  '-sl': '--sentence-level',
  '-sh': '--short',
  '-sv': '--smooth-value',
  '-tl': '--target-lang',
  '-nr': '--num-refs',
  '-cc': '--chrf-char-order',
  '-cw': '--chrf-word-order',
  '-ci': '--confidence',
  '-cin': '--confidence-n',
  '-par': '--paired-ar',
  '-pbs': '--paired-bs',
  '-parn': '--paired-ar-n',
  '-pbsn': '--paired-bs-n',
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

/** What commander makes of the command line; numbers are text as yet. */
interface ScoreFlags {
  input?: string[];
  numRefs?: string;
  metrics?: string[];
  config?: string[];
  force?: boolean;
  scoreOnly?: boolean;
  width?: string;
  format?: string;
  short?: boolean;
  sentenceLevel?: boolean;
  tokenized?: boolean;
  details?: string;
  html?: string;
  source?: string;
  quiet?: boolean;
  chrfCharOrder?: string;
  chrfWordOrder?: string;
  chrfBeta?: string;
  chrfLowercase?: boolean;
  chrfWhitespace?: boolean;
  chrfEpsSmoothing?: boolean;
  terNormalized?: boolean;
  terNoPunct?: boolean;
  terAsianSupport?: boolean;
  terCaseSensitive?: boolean;
  confidence?: boolean;
  confidenceN?: string;
  pairedBs?: boolean;
  pairedBsN?: string;
  pairedAr?: boolean;
  pairedArN?: string;
  threads?: string;
}

/** Adds `score`. The defaults of BLEU are the `score` section of a config; flags are those of sacreBLEU. */
export function addScore(program: Command): void {
  const command = program
    .command('score')
    .argument('<reference...>', 'A file for each reference, plain or .gz.')
    .description('Translations and references → BLEU, chrF and TER as sacreBLEU gives them, by its flags.')
    .option(
      '-i, --input <file...>',
      'The translations, a file for each system (default: standard input, tabs between systems).',
    )
    .option('-m, --metrics <name...>', 'What to compute: bleu, chrf, ter (default: bleu).')
    .option('-b, --score-only', 'Print the number alone.')
    .option('-w, --width <n>', 'Decimals of the score (default: 1).')
    .option(
      '-f, --format <name>',
      'json, text, latex, markdown or rst (default: $SACREBLEU_FORMAT, else json).',
    )
    .option('--short', 'Shorten the signature.')
    .option('--sentence-level', 'Print a score for each line.')
    .option('--num-refs <n>', 'References in each line of the one file, with tabs between (default: 1).')
    .option('--force', 'Do not warn of text that looks wrong.')
    .option('--tokenized', 'Also print BLEU of the tokens as they stand, which papers of old report.')
    .option('--details <file>', 'Write the scores of each line to a file, as JSON lines; .gz is packed.')
    .option('--html <file>', 'Write a page that shows two systems side by side.')
    .option('--source <file>', 'What was translated, for the page and the scores of each line.')
    .option('--config <file>', 'Take score.* and data.target-lang from a config; repeatable.', collect)
    .option('--quiet', 'Print warnings and errors only.');
  const settings: Setting[] = [];
  addSet(command, settings);
  for (const key of SCORE_KEYS) addKey(command, key, settings, SCORE_HEADING);
  const targetLang = new Option(
    '--target-lang <lang>',
    'Language of the text (zh, zh-Hans, zh_CN, cmn); it chooses the tokenizer.',
  );
  addOverride(command, targetLang, 'data.target-lang', settings);
  const pair = new Option('-l, --language-pair <pair>', 'The same as a pair: de-en.');
  addOverride(command, pair, 'data.target-lang', settings, undefined, targetOfPair);
  addMetricOptions(command);
  addTestOptions(command);
  for (const [spelling, long] of Object.entries(SACREBLEU_SPELLINGS)) {
    const option = command.options.find((candidate) => candidate.long === long)!;
    option.flags = `${spelling}, ${option.flags}`; // what the help shows
  }
  command.action(async (references: string[], flags: ScoreFlags) => {
    log.setQuiet(flags.quiet === true);
    const config = await loadSettings(flags.config, settings);
    const { scoreFiles } = await import('../workflows/score/score.js');
    const scores = await scoreFiles({ references, ...optionsOf(flags), ...bleuOptions(flags, config) });
    process.stdout.write(scores);
  });
}

function addMetricOptions(command: Command): void {
  const group = (heading: string, options: readonly (readonly [flags: string, description: string])[]) => {
    for (const [flags, description] of options) {
      command.addOption(new Option(flags, description).helpGroup(heading));
    }
  };
  group('chrF (Popović 2015; chrF++ with --chrf-word-order 2):', [
    ['--chrf-char-order <n>', 'Longest character n-grams (default: 6).'],
    ['--chrf-word-order <n>', 'Longest word n-grams (default: 0).'],
    ['--chrf-beta <n>', 'How much more recall counts than precision (default: 2).'],
    ['--chrf-lowercase', 'Compare in lower case.'],
    ['--chrf-whitespace', 'Count n-grams with white space in them.'],
    ['--chrf-eps-smoothing', 'Smooth as chrF++.py, NLTK and Moses do.'],
  ]);
  group('TER (Snover et al. 2006; defaults are those of Tercom):', [
    ['--ter-normalized', 'Tokenize as mteval does, and undo entities.'],
    ['--ter-no-punct', 'Remove punctuation.'],
    ['--ter-asian-support', 'Split and remove Asian characters and punctuation as well.'],
    ['--ter-case-sensitive', 'Tell case apart.'],
  ]);
}

function addTestOptions(command: Command): void {
  const heading = 'Significance (seed: $SACREBLEU_SEED, else 12345; none takes entropy from the system):';
  for (const [flags, description] of [
    ['--confidence', '95% interval of the score of one system, by bootstrap.'],
    ['--confidence-n <n>', 'Resamples for it (default: 1000).'],
    ['--paired-bs', 'Compare systems with the first one by paired bootstrap.'],
    ['--paired-bs-n <n>', 'Resamples for it (default: 1000).'],
    ['--paired-ar', 'Compare systems with the first one by approximate randomization.'],
    ['--paired-ar-n <n>', 'Trials for it (default: 10000).'],
    [
      '--threads <n>',
      'Threads at most (default: all that may be used and pay); results do not depend on it.',
    ],
  ]) {
    command.addOption(new Option(flags, description).helpGroup(heading));
  }
}

/** The config where there is anything to load: its schema takes longer to load than many a score does. */
async function loadSettings(files: string[] = [], sets: readonly Setting[]): Promise<Config | undefined> {
  if (files.length === 0 && sets.length === 0) return undefined;
  const { loadConfig } = await import('../config/load.js');
  return loadConfig({ files, sets }).config;
}

function bleuOptions(
  { force }: ScoreFlags,
  config: Config | undefined,
): Pick<ScoreOptions, 'bleu' | 'spmModel'> {
  const score = config?.score;
  return {
    bleu: {
      lowercase: score?.lowercase,
      tokenize: score?.tokenize ?? undefined,
      smoothMethod: score?.smoothMethod,
      smoothValue: score?.smoothValue ?? undefined,
      targetLang: config?.data.targetLang,
      force: force === true,
    },
    spmModel: score?.spmModel ?? undefined,
  };
}

function optionsOf(flags: ScoreFlags): Omit<ScoreOptions, 'references' | 'bleu' | 'spmModel'> {
  if (flags.pairedBs && flags.pairedAr) {
    throw new UserError({
      problem: '--paired-bs and --paired-ar exclude each other',
      hint: 'Run them one after the other.',
    });
  }
  return {
    systems: flags.input ?? [],
    referencesPerLine: whole('--num-refs', flags.numRefs) ?? 1,
    metrics: (flags.metrics ?? ['bleu']).map((name) => name.toLowerCase()),
    chrf: {
      charOrder: whole('--chrf-char-order', flags.chrfCharOrder),
      wordOrder: whole('--chrf-word-order', flags.chrfWordOrder),
      beta: whole('--chrf-beta', flags.chrfBeta),
      lowercase: flags.chrfLowercase,
      whitespace: flags.chrfWhitespace,
      epsSmoothing: flags.chrfEpsSmoothing,
    },
    ter: {
      normalized: flags.terNormalized,
      noPunct: flags.terNoPunct,
      asianSupport: flags.terAsianSupport,
      caseSensitive: flags.terCaseSensitive,
    },
    scoreOnly: flags.scoreOnly === true,
    width: whole('--width', flags.width) ?? 1,
    format: flags.format ?? process.env.SACREBLEU_FORMAT?.toLowerCase() ?? 'json',
    shortSignature: flags.short === true,
    coloured: process.stdout.isTTY === true && !process.env.NO_COLOR,
    sentenceLevel: flags.sentenceLevel === true,
    tokenized: flags.tokenized === true,
    confidence: flags.confidence
      ? (whole('--confidence-n', flags.confidenceN) ?? DEFAULT_RESAMPLES)
      : undefined,
    paired: pairedTest(flags),
    seed: seedOf(process.env.SACREBLEU_SEED),
    threads: whole('--threads', flags.threads),
    details: flags.details,
    html: flags.html,
    source: flags.source,
  };
}

function pairedTest({ pairedBs, pairedBsN, pairedAr, pairedArN }: ScoreFlags): ScoreOptions['paired'] {
  if (pairedBs) return { type: 'bs', samples: whole('--paired-bs-n', pairedBsN) ?? DEFAULT_RESAMPLES };
  if (pairedAr) return { type: 'ar', samples: whole('--paired-ar-n', pairedArN) ?? DEFAULT_TRIALS };
  return undefined;
}

/** @throws UserError for what is no whole number */
function whole(flag: string, typed: string | undefined): number | undefined {
  if (typed === undefined) return undefined;
  if (/^-?\d+$/.test(typed)) return Number(typed);
  throw new UserError({ problem: `expected a whole number, found '${typed}'`, where: flag });
}

function seedOf(variable: string | undefined): number | null {
  if (variable === undefined) return DEFAULT_SEED;
  if (variable.toLowerCase() === 'none') return null;
  const seed = /^\d+$/.test(variable) ? Number(variable) : Number.NaN;
  if (Number.isSafeInteger(seed)) return seed;
  throw new UserError({
    problem: `expected a whole number of 0 or more or 'none', found '${variable}'`,
    where: '$SACREBLEU_SEED',
  });
}

function collect(value: string, previous: readonly string[] = []): string[] {
  return [...previous, value];
}
