import type { Command, CommanderError, Option } from 'commander';
import { nearest, UserError } from '../common/errors.js';
import { configKeys } from '../config/keys.js';
import { adviceFor, commandsFor, oursFor, unitNote } from '../config/other-names.js';
import { lastName } from '../config/paths.js';
import { flagName } from './config-flags.js';
import { pathOf, swallowedHint } from './swallowed.js';

/** The options that arguments too many of a command were meant for, one after the other. */
const OPTIONS_OF_EXTRA: Readonly<Record<string, readonly string[]>> = {
  translate: ['--input', '--output'],
  align: ['--source', '--target', '--output'],
  shortlist: ['--output'],
  average: ['--inputs'],
  fold: ['--output'],
  export: ['--output'],
  import: ['--output'],
};

const USE_HELP = 'Add --help to see what there is.';

/** What is wrong with a command line, and how it is meant to be, from what the parser of a command says. */
export function explainUsage(command: Command, error: CommanderError): UserError {
  const { code, message } = error;
  const swallowed = swallowedHint(command, error);
  const [problem, suggestion] = message.replace(/^error: /, '').split('\n');
  const named = /'([^']*)'/.exec(problem)?.[1] ?? '';
  const option = command.options.find(({ flags }) => flags === named);
  const said = suggestion?.replace(/^\((.*)\)$/, '$1');
  switch (code) {
    case 'commander.help':
      return new UserError({ problem: 'expected a command', hint: USE_HELP });
    case 'commander.unknownOption':
      return unknownOption(command, named.split('=')[0], said);
    case 'commander.excessArguments':
      return excessArgument(command);
    case 'commander.missingArgument':
      return missingArgument(command, named, swallowed);
    case 'commander.missingMandatoryOptionValue':
      return new UserError({ problem: `expected ${named}, found none`, hint: option && describe(option) });
    case 'commander.optionMissingArgument':
      return new UserError({ problem, hint: option && describe(option) });
    case 'commander.invalidArgument':
      return new UserError({ problem, hint: swallowed ?? meantChoice(problem, option) });
    default:
      return new UserError({ problem, hint: said ?? USE_HELP });
  }
}

/** A word in the place of a command that names none. */
export function unknownCommand(group: Command, word: string): UserError {
  const names = group.commands.map((command) => command.name());
  const theirs = commandsFor(word).filter((name) => names.includes(name));
  const near = nearest(word, names);
  if (word === 'version')
    return new UserError({ problem: `unknown command '${word}'`, hint: 'Here it is --version.' });
  const hint =
    theirs.length > 0
      ? `Here it is ${theirs.join(' or ')}.`
      : near === undefined
        ? `The commands are ${names.join(', ')}.`
        : `Did you mean ${near}?`;
  return new UserError({ problem: `unknown command '${word}'`, hint });
}

function unknownOption(command: Command, flag: string, suggestion?: string): UserError {
  const hint = hintForOption(command, flag) ?? suggestion ?? USE_HELP;
  return new UserError({ problem: `unknown option '${flag}'`, hint });
}

function hintForOption(command: Command, flag: string): string | undefined {
  const theirs = oursFor(flag);
  const own = [...configKeys.keys()].filter((key) => [flagName(key), lastName(key)].includes(flag.slice(2)));
  const ours = theirs.length > 0 ? theirs : own;
  const flags = ours.map((name) => (name.startsWith('-') ? name : `--${flagName(name)}`));
  const taken = flags.filter((name) => command.options.some(({ long }) => long === name));
  if (taken.length > 0) return `Here it is ${taken.join(' or ')}${unitNote(ours)}.`;
  const key = ours.find((name) => configKeys.has(name));
  if (key !== undefined)
    return `This is ${key} of the config, which ${command.name()} does not take from here.`;
  const otherCase = command.options.find(({ short }) => short?.toLowerCase() === flag.toLowerCase());
  return otherCase === undefined ? adviceFor(flag) : `Did you mean ${otherCase.short} (${otherCase.long})?`;
}

function excessArgument(command: Command): UserError {
  const arguments_ = command.registeredArguments;
  const extra = command.args.slice(arguments_.length);
  const takes =
    arguments_.length === 0 ? 'no argument' : `${arguments_.map((argument) => `<${argument.name()}>`)} alone`;
  return new UserError({
    problem: `unexpected argument '${extra[0]}': ${command.name()} takes ${takes}`,
    hint: meantOptions(command, extra) ?? usageOf(command),
  });
}

function meantOptions(command: Command, extra: readonly string[]): string | undefined {
  const options = (OPTIONS_OF_EXTRA[command.name()] ?? []).map(
    (name) => command.options.find(({ long }) => long === name)!,
  );
  const taking = options.slice(0, extra.length);
  const last = taking.at(-1);
  if (last === undefined || (extra.length > taking.length && !last.variadic)) return undefined;
  const meant = taking.map((option, i) => {
    const words = option === last ? extra.slice(i) : [extra[i]];
    return [option.long, ...words].join(' ');
  });
  return `Did you mean ${meant.join(' ')}?${taking.length === 1 ? ` ${describe(last)}` : ''}`;
}

function missingArgument(command: Command, name: string, swallowed?: string): UserError {
  const argument = command.registeredArguments.find((candidate) => candidate.name() === name);
  return new UserError({
    problem: `expected <${name}>, found nothing`,
    hint: swallowed ?? `${argument?.description} ${usageOf(command)}`,
  });
}

function usageOf(command: Command): string {
  return `Usage: ${pathOf(command)} ${command.usage()}`;
}

function describe({ description, argChoices }: Option): string {
  return argChoices === undefined
    ? description
    : `${description.replace(/\.$/, '')}: ${argChoices.join(', ')}.`;
}

function meantChoice(problem: string, option: Option | undefined): string {
  const typed = /argument '([^']*)' is invalid/.exec(problem)?.[1] ?? '';
  const near = nearest(typed, option?.argChoices ?? []);
  return near === undefined ? USE_HELP : `Did you mean ${near}?`;
}
