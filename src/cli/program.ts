import process from 'node:process';
import { Command, Option } from 'commander';
import { packageVersion } from '../common/files.js';
import { log } from '../common/log.js';
import { formatConfig } from '../config/format.js';
import { type LoadedConfig, loadConfig, loadRunConfig } from '../config/load.js';
import type { Override } from '../config/override.js';
import { addConfig } from './config-command.js';
import { addConfigOptions } from './config-options.js';
import { addScore, spellOutScoreFlags } from './score-command.js';

const CONFIG_FILES = 'YAML files; later ones override earlier ones.';

/** The sections that preparing, profiling and training read. */
const TRAINING = ['preset', 'seed', 'backend', 'threads', 'data', 'model', 'train'];

/**
 * Runs a command line. What a command does is imported when it runs, so that help and scores load no tensors.
 *
 * @param args the arguments after the program's name
 * @throws UserError, InterruptedError, CommanderError
 */
export async function runCommandLine(args: readonly string[]): Promise<void> {
  const spelled = args[0] === 'score' ? spellOutScoreFlags(args) : args;
  await createProgram().parseAsync(spelled, { from: 'user' });
}

/** The program with all its commands. */
export function createProgram(): Command {
  const program = new Command('admin-nmt')
    .description('Train and evaluate neural machine translation with Admin-initialised Transformers.')
    .version(packageVersion(), '-V, --version', 'Print the version.')
    .helpOption('-h, --help', 'Print help.')
    .helpCommand('help [command]', 'Print help for a command.')
    .exitOverride()
    // Messages are printed where the exit code is set, help that was asked for here.
    .configureOutput({ outputError: () => {} })
    .addHelpText('after', '\nadmin-nmt COMMAND --help lists the options of a command.');
  addPreprocess(program);
  addProfile(program);
  addTrain(program);
  addTranslate(program);
  addScore(program);
  addConfig(program);
  return program;
}

function addPreprocess(program: Command): void {
  const command = program
    .command('preprocess')
    .argument('[config...]', CONFIG_FILES)
    .description('Text → tokenizer, dictionaries and a dataset in fairseq’s mmap format (data.destdir).')
    .option('--overwrite', 'Make everything anew even where it is up to date.');
  const overrides = addCommon(command, ['preset', 'seed', 'data']);
  command.action(async (files: string[], options: Common & { overwrite?: boolean }) => {
    const loaded = begin(options, () => loadConfig({ files, sets: overrides }));
    if (loaded === undefined) return;
    const { runPreprocess } = await import('./preprocess.js');
    await runPreprocess(loaded.config, { overwrite: options.overwrite });
  });
}

function addProfile(program: Command): void {
  const command = program
    .command('profile')
    .argument('[config...]', CONFIG_FILES)
    .description('First training batch → variance of every residual branch and the ω of Admin.')
    .option('-o, --output <folder>', 'Folder for the profile, in place of train.save-dir.');
  const overrides = addCommon(command, TRAINING);
  command.action(async (files: string[], options: Common & { output?: string }) => {
    const loaded = begin(options, () => loadConfig({ files, sets: overrides }));
    if (loaded === undefined) return;
    const { runProfile } = await import('./profile.js');
    await runProfile(loaded.config, { output: options.output });
  });
}

function addTrain(program: Command): void {
  const command = program
    .command('train')
    .argument('[config...]', CONFIG_FILES)
    .description('Dataset → run directory with checkpoints; goes on where an interrupted run stopped.')
    .option('--restart', 'Start anew in a run directory that has checkpoints.');
  const overrides = addCommon(command, TRAINING);
  command.action(async (files: string[], options: Common & { restart?: boolean }) => {
    const loaded = begin(options, () => loadConfig({ files, sets: overrides }));
    if (loaded === undefined) return;
    const { runTrain } = await import('./train.js');
    await runTrain(loaded.config, loaded.written, { restart: options.restart });
  });
}

const FORMATS = ['text', 'jsonl', 'fairseq', 'nbest'] as const;

interface TranslateFlags extends Common {
  input?: string;
  output?: string;
  checkpoint?: string;
  format: (typeof FORMATS)[number];
}

function addTranslate(program: Command): void {
  const command = program
    .command('translate')
    .argument('<run>', 'The run directory of train, or a checkpoint in it.')
    .description('Text → text, one line for each line, in order.')
    .option('-i, --input <file>', 'Text to translate, plain or .gz (default: standard input).')
    .option('-o, --output <file>', 'Where translations go (default: standard output).')
    .option('--checkpoint <name>', 'A checkpoint of the run (default: the best, else the last).')
    .addOption(new Option('-f, --format <name>', 'What to print.').choices(FORMATS).default('text'));
  const overrides = addCommon(command, ['backend', 'threads', 'decode']);
  command.action(async (run: string, options: TranslateFlags) => {
    const loaded = begin(options, () => loadRunConfig(run, { sets: overrides }));
    if (loaded === undefined) return;
    const { runTranslate } = await import('./translate.js');
    const { input, output, checkpoint, format } = options;
    await runTranslate(run, { config: loaded.config, input, output, checkpoint, format });
  });
}

/** Options that every command with a config has. */
interface Common {
  printConfig?: boolean;
  quiet?: boolean;
}

/** Adds the flags of config keys and the common options. @returns the settings, see addConfigOptions */
function addCommon(command: Command, paths: readonly string[]): Override[] {
  command
    .option('--print-config', 'Print the resolved config on standard output and do nothing else.')
    .option('--quiet', 'Print warnings and errors only.');
  return addConfigOptions(command, paths);
}

/** Loads the config; undefined where it was all that was asked for and is printed. */
function begin(options: Common, load: () => LoadedConfig): LoadedConfig | undefined {
  log.setQuiet(options.quiet === true);
  const loaded = load();
  for (const warning of loaded.warnings) log.warn(warning);
  if (options.printConfig !== true) return loaded;
  process.stdout.write(formatConfig(loaded.written));
  return undefined;
}
