import process from 'node:process';
import { type Command, Option } from 'commander';
import { UserError } from '../common/errors.js';
import { loadRunConfig } from '../config/load.js';
import { addOverride } from './config-flags.js';
import { addCommon, begin, type Common } from './model-commands.js';
import { ranks, setRanksTimeout } from './ranks.js';

/** Seconds that ranks wait for the one whose block takes longest. */
const WHILE_ONE_TRANSLATES = 86_400;

/** What a page of alignments is made by, whether they are written beside the translations or not. */
const ALIGNMENT_KEYS = ['decode.alignment-unit', 'decode.alignment-layer', 'decode.alignment-head'];

const FORMATS = ['text', 'jsonl', 'fairseq', 'nbest'] as const;

interface TranslateFlags extends Common {
  input?: string;
  output?: string;
  checkpoint?: string;
  weights?: 'live' | 'ema';
  inputFormat: 'text' | 'jsonl';
  format: (typeof FORMATS)[number];
  document?: boolean;
  formatIn?: 'srt' | 'vtt';
  field?: string;
  html?: string;
}

/** Adds `translate`. */
export function addTranslate(program: Command): void {
  const command = program
    .command('translate')
    .argument('<run>', 'The run directory of train, or a checkpoint in it.')
    .description('Text → text, one line for each line, in order.')
    .option('-i, --input <file>', 'Text to translate, plain or .gz (default: standard input).')
    .addOption(
      new Option('--input-format <name>', 'What the lines of the input are: text, or objects in JSON.')
        .choices(['text', 'jsonl'])
        .default('text'),
    )
    .option('-o, --output <file>', 'Where translations go, packed if .gz (default: standard output).')
    .option('--checkpoint <name>', 'A checkpoint of the run (default: the best, else the last).')
    .addOption(
      new Option(
        '--weights <name>',
        'Those of training, or their moving average (default: what the run validates).',
      ).choices(['live', 'ema']),
    )
    .addOption(new Option('-f, --format <name>', 'What to print.').choices(FORMATS).default('text'))
    .option('--document', 'The text has sentences anywhere: lines and paragraphs stay what they are.')
    .addOption(
      new Option('--format-in <name>', 'Subtitles (default: by the end of the name of the file).').choices([
        'srt',
        'vtt',
      ]),
    )
    .option('--field <name>', 'The text is jsonl: the field to translate; all else stays as it is.')
    .option('--html <file>', 'Write a page that shows the first translations with their alignment.');
  const settings = addCommon(command, ['seed', 'backend', 'gpu', 'threads', 'decode']);
  const targetLang = new Option('--target-lang <lang>', 'Short for --tag "<2LANG>".').conflicts('tag');
  addOverride(command, targetLang, 'decode.tag', settings, undefined, tagOfLanguage);
  command.action(async (run: string, options: TranslateFlags) => {
    const used = options.html === undefined ? [] : ALIGNMENT_KEYS;
    const loaded = begin(options, () => loadRunConfig(run, { sets: settings, used }));
    if (loaded === undefined) return;
    const [{ translateFile }, { openLineOutput }] = await Promise.all([
      import('../workflows/translate.js'),
      import('./line-output.js'),
    ]);
    const { input = '-', output = '-', checkpoint, weights, format, inputFormat, html } = options;
    const typed = input === '-' && process.stdin.isTTY === true;
    const prompt = typed && process.stderr.isTTY === true ? promptOnStderr() : undefined;
    const how = {
      input,
      inputFormat,
      checkpoint,
      weights,
      format,
      document: documentKind(options),
      prompt,
      html,
      args: process.argv.slice(2),
      openOutput: () => openLineOutput(output),
    };
    const communicator = ranks();
    setRanksTimeout(WHILE_ONE_TRANSLATES, 'the time that a rank may take for a block of lines');
    await translateFile(run, { config: loaded.config, communicator, ...how });
  });
}

/** @throws UserError for what is no language */
function tagOfLanguage(language: string): string {
  if (/^[A-Za-z][\w-]*$/.test(language)) return `<2${language}>`;
  throw new UserError({
    problem: `expected a language such as fr, for the tag <2fr>; found '${language}'`,
    where: '--target-lang',
    hint: 'A tag of another form is given as it is, with --tag.',
  });
}

function documentKind({ document, formatIn, field, input = '' }: TranslateFlags) {
  const ending = (['srt', 'vtt'] as const).find((name) => input.toLowerCase().endsWith(`.${name}`));
  const [format] = [formatIn, document && ('document' as const), field && ('jsonl' as const), ending].filter(
    (name) => name !== undefined && name !== '' && name !== false,
  );
  return format && { format, field };
}

/** @returns what asks who types for a line; the first time it says how */
function promptOnStderr(): () => void {
  let hint = 'Type a sentence and Enter; Ctrl-D ends.\n';
  return () => {
    process.stderr.write(`${hint}> `);
    hint = '';
  };
}
