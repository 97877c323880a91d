import type { Command, CommanderError, Option } from 'commander';

/**
 * What to say where an option of several words, as `--input <file...>`, has taken what was meant to be an argument:
 * `score --input hyp ref` has no reference.
 *
 * @param command that has parsed the command line
 * @returns undefined where that is not what happened
 */
export function swallowedHint(command: Command, { code, message }: CommanderError): string | undefined {
  const several = command.options.filter(({ variadic }) => variadic);
  const refusing = several.find(({ flags }) => message.startsWith(`error: option '${flags}' argument`));
  if (refusing !== undefined && command.registeredArguments.some(({ required }) => required))
    return `${takesAll(refusing)} What is none of its values goes before it.`;
  const [taker] = several
    .filter((option) => wordsOf(command, option).length > 0)
    .sort((a, b) => wordsOf(command, b).length - wordsOf(command, a).length);
  if (code !== 'commander.missingArgument' || taker === undefined) return undefined;
  return `${takesAll(taker)} ${orderFor(command, taker)}`;
}

function takesAll({ long }: Option): string {
  return `${long} takes every word up to the next option.`;
}

/** The command line as it is probably meant: the last word of the option was the argument. */
function orderFor(command: Command, option: Option): string {
  const missing = command.registeredArguments[command.args.length].name();
  const words = wordsOf(command, option);
  const [meant, kept] =
    words.length > 1 ? [words.at(-1), words.slice(0, -1)] : [missing.toUpperCase(), words];
  const line = [pathOf(command), ...command.args, meant, option.long, ...kept].join(' ');
  return `Put the ${missing} before it: ${line}`;
}

/** What an option has got on the command line. */
function wordsOf(command: Command, option: Option): string[] {
  const name = option.attributeName();
  return command.getOptionValueSource(name) === 'cli' ? command.getOptionValue(name).map(String) : [];
}

/** `admin-nmt config print` */
export function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}
