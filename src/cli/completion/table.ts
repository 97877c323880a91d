import type { Argument, Command, Option } from 'commander';
import { FIGURE_NAMES } from '../../common/validation-figures.js';
import { configKeys, configSections } from '../../config/keys.js';
import { MEASURES } from '../../workflows/analyze/options.js';
import { keySetBy } from '../config-flags.js';

/** What may stand in a place of a command line: some words, or a file, a folder, a key of the config, `key=value`. */
export type Values = readonly string[] | 'file' | 'folder' | 'key' | 'setting';

export interface CompletedOption {
  /** `-f`, `--format`; more than one dash and letter where it is sacreBLEU's, `-lc`. */
  readonly names: readonly string[];
  readonly text: string;
  readonly takes: 'nothing' | 'one' | 'several';
  readonly values: Values;
}

export interface CompletedCommand {
  /** Its words after `admin-nmt`; '' is the program. */
  readonly name: string;
  readonly text: string;
  /** Commands below it. */
  readonly below: readonly CompletedCommand[];
  /** What stands in the place of each argument; the last one again and again where `endless`. */
  readonly arguments: readonly Values[];
  readonly endless: boolean;
  readonly options: readonly CompletedOption[];
}

/** A key of the config or a section, and the words that its value may be. */
export interface CompletedKey {
  readonly path: string;
  readonly text: string;
  readonly words: readonly string[];
}

/** What the parser takes and does not name: it is checked when the command runs. */
const WORDS: Readonly<Record<string, Values>> = {
  'score --metrics': ['bleu', 'chrf', 'ter'],
  'score --format': ['json', 'text', 'latex', 'markdown', 'rst'],
  'average --metric': FIGURE_NAMES,
  'analyze --schemes': configKeys.get('model.residual')!.choices,
  'analyze what': MEASURES,
  'config explain key': 'key',
  ' --distributed': ['mpi', 'none'],
};

/** Everything that can be completed, from the commands themselves. */
export function completedCommand(command: Command, name = ''): CompletedCommand {
  const help = command.createHelp();
  const below = command.commands.map((child) =>
    completedCommand(child, name === '' ? child.name() : `${name} ${child.name()}`),
  );
  return {
    name,
    text: command.description(),
    below,
    arguments: command.registeredArguments.map((argument) => valuesOfArgument(argument, name)),
    endless: command.registeredArguments.at(-1)?.variadic === true,
    options: help.visibleOptions(command).map((option) => completedOption(option, name)),
  };
}

/** The keys that `--set` takes, and their values. */
export function completedKeys(): CompletedKey[] {
  return [...configKeys.values()].map(({ path, text, kind, choices, words = [] }) => ({
    path,
    text,
    words: kind === 'boolean' ? ['true', 'false'] : [...choices, ...words],
  }));
}

/** The sections, which `config explain` takes as well. */
export function completedSections(): CompletedKey[] {
  return [...configSections.values()]
    .filter(({ path }) => path !== '')
    .map(({ path, text }) => ({ path, text, words: [] }));
}

function completedOption(option: Option, command: string): CompletedOption {
  const names = option.flags
    .split(/, (?=-)/)
    .map((flag) => flag.split(/[ =]/)[0])
    .flatMap((flag) =>
      flag.startsWith('--[no-]') ? [flag.replace('[no-]', ''), flag.replace(/[[\]]/g, '')] : [flag],
    );
  const takes = option.variadic ? 'several' : option.required || option.optional ? 'one' : 'nothing';
  return {
    names,
    text: option.description,
    takes,
    values: takes === 'nothing' ? [] : valuesOf(option, command),
  };
}

function valuesOf(option: Option, command: string): Values {
  const named = WORDS[`${command} ${option.long}`] ?? option.argChoices;
  if (named !== undefined) return named;
  const key = configKeys.get(keySetBy(option) ?? '');
  if (key !== undefined && key.choices.length > 0) return key.choices;
  const [, placeholder = ''] = /<([^>]*)>/.exec(option.flags) ?? [];
  if (/^(file|folder)s?\b/.test(placeholder)) return placeholder.startsWith('file') ? 'file' : 'folder';
  if (/^key=/.test(placeholder)) return 'setting';
  if (/^key,/.test(placeholder)) return 'key';
  if (option.long === '--checkpoint') return 'folder';
  return key?.words ?? [];
}

function valuesOfArgument(argument: Argument, command: string): Values {
  const named = WORDS[`${command} ${argument.name()}`] ?? argument.argChoices;
  return named ?? (/^(run|folder|dir)$/.test(argument.name()) ? 'folder' : 'file');
}
