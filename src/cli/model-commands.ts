import process from 'node:process';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { UserError } from '../common/errors.js';
import { log } from '../common/log.js';
import { formatConfig } from '../config/format.js';
import { type LoadedConfig, loadConfig } from '../config/load.js';
import type { Setting } from '../config/override.js';
import type { AverageFlags } from '../workflows/average.js';
import type { PreprocessChoices } from '../workflows/preprocess/kept-vocabulary.js';
import { addConfigOptions } from './config-options.js';
import { ranks, setRanksTimeout } from './ranks.js';

/** The commands that make a model. What they do is imported when they run: help loads no tensors. */

const CONFIG_FILES = 'YAML files; later ones override earlier ones.';

/** The sections that preparing, profiling and training read. */
const TRAINING = ['preset', 'seed', 'backend', 'gpu', 'threads', 'data', 'model', 'train'];

/** Adds `preprocess`. */
export function addPreprocess(program: Command): void {
  const command = program
    .command('preprocess')
    .argument('[config...]', CONFIG_FILES)
    .description('Text → tokenizer, dictionaries and a dataset in fairseq’s mmap format (data.destdir).')
    .option('--overwrite', 'Make everything anew even where it is up to date.')
    .option('--append', 'Keep tokenizers and dictionaries of the dataset, and encode only what is new.');
  const settings = addCommon(command, ['preset', 'seed', 'threads', 'data']);
  command.action(async (files: string[], options: Common & PreprocessChoices) => {
    const loaded = begin(options, () => loadGiven(command, files, settings, options));
    if (loaded === undefined) return;
    const { preprocess } = await import('../workflows/preprocess/preprocess.js');
    await preprocess(loaded.config, options);
  });
}

/** Adds `profile`. */
export function addProfile(program: Command): void {
  const command = program
    .command('profile')
    .argument('[config...]', CONFIG_FILES)
    .description('First training batch → variance of every residual branch and the ω of Admin.')
    .option('-o, --output <folder>', 'Folder for the profile, in place of train.save-dir.');
  const settings = addCommon(command, TRAINING);
  command.action(async (files: string[], options: Common & { output?: string }) => {
    const loaded = begin(options, () => loadGiven(command, files, settings, options));
    if (loaded === undefined) return;
    const { describeOmega, profile } = await import('../workflows/profile.js');
    const { formatProfile } = await import('../report/profile-table.js');
    const profiled = await profile(loaded.config, loaded.written, { output: options.output });
    process.stdout.write(`${formatProfile(profiled.sublayers).join('\n')}\n`);
    for (const line of describeOmega(profiled)) log.info(line);
  });
}

/** Seconds that ranks wait for the first of them, which makes the dataset. */
const WHILE_ONE_PREPARES = 7 * 86_400;

interface TrainFlags extends Common {
  restart?: boolean;
  verify?: boolean;
  dryRun?: boolean;
  ranks?: number;
  stopAfter?: string;
  allowChange?: string[];
}

/** Adds `train`. */
export function addTrain(program: Command): void {
  const command = program
    .command('train')
    .argument('[config...]', CONFIG_FILES)
    .description('Dataset → run directory with checkpoints; goes on where an interrupted run stopped.')
    .option('--restart', 'Start anew in a run directory that has checkpoints.')
    .option(
      '--verify',
      'Read all of the dataset and compare it with its checksums, even if it was whole before.',
    )
    .option('--dry-run', 'Try the largest batch, and print time, disk and memory that training takes.')
    .addOption(
      new Option(
        '--ranks <n>',
        'With --dry-run: what so many processes would gain, over several networks.',
      ).argParser(parseRanks),
    )
    .option('--stop-after <time>', 'Save and end before this much time is over, such as 170m or 2h.')
    .addOption(
      new Option(
        '--allow-change <key,…>',
        'Go on from a checkpoint although this setting differs from its own; repeatable.',
      ).argParser((typed: string, keys: string[] = []) => [...keys, ...typed.split(',')]),
    );
  const guided = ['decode.alignment-layer', 'decode.alignment-head'];
  const settings = addCommon(command, [...TRAINING, ...guided]);
  command.action(async (files: string[], options: TrainFlags) => {
    const loaded = begin(options, () => loadGiven(command, files, settings, options));
    if (loaded === undefined) return;
    const { rehearseTraining, train } = await import('../workflows/train/train.js');
    const { listenForSignals } = await import('./training-signals.js');
    const { restart, verify, dryRun, allowChange } = options;
    const stopAfter =
      options.stopAfter === undefined ? null : parseDuration('--stop-after', options.stopAfter);
    const communicator = ranks();
    if (dryRun === true) {
      const { forecastFor } = await import('../workflows/train/across-ranks.js');
      const forecast = forecastFor(communicator, options.ranks);
      setRanksTimeout(WHILE_ONE_PREPARES, 'the time that rank 0 may take to try training');
      if (communicator.rank > 0) return;
      const how = { restart, verify, allowChange, forecast };
      process.stdout.write(await rehearseTraining(loaded.config, loaded.written, how));
      return;
    }
    if (options.ranks !== undefined) {
      throw new UserError({
        problem: '--ranks tells what several processes would gain: expected with --dry-run, found without',
        hint: `MPI starts them: mpirun -n ${options.ranks} admin-nmt train … (docs/distributed.md).`,
      });
    }
    const listen = () => {
      setRanksTimeout(loaded.config.train.distributedTimeout, 'train.distributed-timeout');
      return listenForSignals();
    };
    setRanksTimeout(WHILE_ONE_PREPARES, 'the time that rank 0 may take to prepare the data');
    const how = { restart, verify, stopAfter, allowChange, listen, communicator };
    await train(loaded.config, loaded.written, how);
  });
}

/** Adds `average`. */
export function addAverage(program: Command): void {
  program
    .command('average')
    .argument('<run>', 'The run directory of train.')
    .description('Checkpoints of a run → their mean, a checkpoint to translate with.')
    .option('--num-epoch-checkpoints <n>', 'Average the last checkpoints of this many epochs.')
    .option('--num-update-checkpoints <n>', 'Average the last checkpoints, this many.')
    .option('--checkpoint-upper-bound <n>', 'The last epoch, or update, to take a checkpoint of.')
    .option('--best <n>', 'Average the checkpoints of the best validations, this many.')
    .option('--metric <name>', 'What is best: loss, nll_loss, ppl, … of metrics.jsonl (default: loss).')
    .option('--inputs <name...>', 'Average these checkpoints.')
    .option('-o, --output <name>', 'Name in the run directory (default: checkpoint_average_<how many>).')
    .option('--overwrite', 'Replace an average of that name.')
    .option('--quiet', 'Print warnings and errors only.')
    .action(async (run: string, { quiet, ...flags }: AverageFlags & { quiet?: boolean }) => {
      log.setQuiet(quiet === true);
      const { average } = await import('../workflows/average.js');
      await average(run, flags);
    });
}

/** Options that every command with a config has. */
export interface Common {
  printConfig?: boolean;
  quiet?: boolean;
}

/** Adds the flags of config keys and the common options. @returns the settings, see addConfigOptions */
export function addCommon(command: Command, paths: readonly string[]): Setting[] {
  command
    .option('--print-config', 'Print the resolved config on standard output and do nothing else.')
    .option('--quiet', 'Print warnings and errors only.');
  return addConfigOptions(command, paths);
}

/** The config of a command that cannot do with the defaults alone. @throws UserError where nothing is given */
function loadGiven(
  command: Command,
  files: readonly string[],
  settings: readonly Setting[],
  { printConfig }: Common,
): LoadedConfig {
  if (files.length > 0 || settings.length > 0 || printConfig === true)
    return loadConfig({ files, sets: settings });
  throw new UserError({
    problem: 'expected a config, found nothing',
    hint: `Give a YAML file (docs/config.md): admin-nmt ${command.name()} my.yaml; or a recipe and text: --preset multi30k -s de -t en --trainpref PREFIX --validpref PREFIX`,
  });
}

/** Loads the config; undefined where it was all that was asked for and is printed. */
export function begin(options: Common, load: () => LoadedConfig): LoadedConfig | undefined {
  log.setQuiet(options.quiet === true);
  const loaded = load();
  for (const warning of loaded.warnings) log.warn(warning);
  if (options.printConfig !== true) return loaded;
  if (ranks().rank > 0) return undefined;
  process.stdout.write(formatConfig(loaded.written));
  return undefined;
}

/** Seconds of `90`, `45s`, `170m`, `2h` or `1d`. @throws UserError for anything else */
function parseDuration(flag: string, typed: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)([smhd]?)$/.exec(typed) ?? [];
  const seconds = Number(number) * { s: 1, m: 60, h: 3600, d: 86_400 }[unit || 's']!;
  if (seconds > 0) return seconds;
  throw new UserError({
    problem: `expected a time such as 170m, 2h or 3600 (seconds), found '${typed}'`,
    where: flag,
  });
}

/** A number of processes. @throws InvalidArgumentError for anything else */
function parseRanks(typed: string): number {
  if (/^[1-9]\d{0,4}$/.test(typed)) return Number(typed);
  throw new InvalidArgumentError('Expected a number of at least 1.');
}
