import { quoted, shellCode } from './shell-code.js';
import type { CompletedCommand, CompletedKey, CompletedOption, Values } from './table.js';

/** The script for zsh: a function for each command, with the specifications that `_arguments` takes. */
export function zshScript(
  program: CompletedCommand,
  keys: readonly CompletedKey[],
  sections: readonly CompletedKey[],
): string {
  return `#compdef admin-nmt
# Completion of admin-nmt in zsh. In ~/.zshrc, after compinit: source <(admin-nmt completion zsh)
typeset -gA __admin_nmt_values=(
${keys
  .filter(({ words }) => words.length > 0)
  .map(({ path, words }) => `  ${path} ${quoted(words.join(' '))}`)
  .join('\n')}
)
typeset -ga __admin_nmt_keys=(
${described(keys.map(({ path, text }) => [path, text]))}
)
typeset -ga __admin_nmt_sections=(
${described(sections.map(({ path, text }) => [path, text]))}
)
${functionsOf(program).join('\n')}
${shellCode('completion.zsh')}`;
}

function functionsOf(command: CompletedCommand): string[] {
  const { name, below, options, arguments: places, endless } = command;
  const specifications = [
    ...options.flatMap(specificationsOf),
    ...(below.length > 0 ? ['1:command:->command', '*::argument:->argument'] : []),
    ...places.map(
      (values, i) => `${endless && i === places.length - 1 ? '*' : ''}:argument:${action(values)}`,
    ),
  ];
  const parse = `_arguments -C \\\n${specifications.map((text) => `    ${quoted(text)}`).join(' \\\n')}`;
  return [
    ...below.flatMap(functionsOf),
    `${functionName(name)}() {
  local curcontext=$curcontext state state_descr line
  typeset -A opt_args
  ${parse}${below.length > 0 ? choice(name, below) : ''}
}`,
  ];
}

/** What comes after the options of a command that has others below it. */
function choice(name: string, below: readonly CompletedCommand[]): string {
  const last = (child: CompletedCommand): string => child.name.slice(name.length).trim();
  return `
  case $state in
    command)
      local -a commands=(
${described(below.map((child) => [last(child), child.text]))}
      )
      _describe -t commands command commands
      ;;
    argument)
      case $words[1] in
${below.map((child) => `        ${last(child)}) ${functionName(child.name)} ;;`).join('\n')}
      esac
      ;;
  esac`;
}

function functionName(command: string): string {
  return ['_admin-nmt', ...command.split(' ').filter(Boolean)].join('_');
}

/** Words after the first that an option of several is completed for; zsh takes any number, but then no option after them. */
const MORE = 4;

/** `-i[text]:file:_files`; any may come again. */
function specificationsOf({ names, text, takes, values }: CompletedOption): string[] {
  const what = `[${text.replace(/[[\]:\\]/g, '\\$&')}]`;
  return names.map((name) => {
    if (takes === 'nothing') return `*${name}${what}`;
    if (takes === 'several')
      return `*${name}${what}:value:${action(values)}${`::value:${action(values)}`.repeat(MORE)}`;
    return `*${name}${name.startsWith('--') ? '=' : ''}${what}:value:${action(values)}`;
  });
}

function action(values: Values): string {
  switch (values) {
    case 'file':
      return '_files';
    case 'folder':
      return '_files -/';
    case 'key':
    case 'setting':
      return `_admin-nmt-${values}`;
    default:
      return values.length === 0 ? ' ' : `(${values.join(' ')})`;
  }
}

function described(entries: readonly (readonly [word: string, text: string])[]): string {
  return entries.map(([word, text]) => `  ${quoted(`${word.replaceAll(':', '\\:')}:${text}`)}`).join('\n');
}
