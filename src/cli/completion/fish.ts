import { shellCode } from './shell-code.js';
import type { CompletedCommand, CompletedKey, CompletedOption, Values } from './table.js';

/** The script for fish: a `complete` for each option and argument, with the command that it belongs to as condition. */
export function fishScript(
  program: CompletedCommand,
  keys: readonly CompletedKey[],
  sections: readonly CompletedKey[],
): string {
  const values = keys.flatMap(({ path, words }) => words.map((word) => `${path}=${word}`));
  return `# Completion of admin-nmt in fish. In ~/.config/fish/config.fish: admin-nmt completion fish | source
set -g __admin_nmt_keys ${described(keys)}
set -g __admin_nmt_sections ${described(sections)}
set -g __admin_nmt_values ${values.map(quotedForFish).join(' ')}
${shellCode('completion.fish')}
complete -c admin-nmt -f
${linesOf(program).join('\n')}
`;
}

function linesOf({ name, below, options, arguments: places }: CompletedCommand): string[] {
  const within = `complete -c admin-nmt -n ${quotedForFish(`__admin_nmt_in ${name}`.trim())}`;
  return [
    ...below.map(
      (child) => `${within} -a ${child.name.slice(name.length).trim()} -d ${quotedForFish(child.text)}`,
    ),
    ...options.map((option) => `${within} ${optionFlags(option)}`),
    ...places.map((values) => `${within} ${candidates(values)}`).filter((line) => line !== `${within} `),
    ...below.flatMap(linesOf),
  ];
}

function optionFlags({ names, text, takes, values }: CompletedOption): string {
  const named = names.map((name) => {
    if (name.startsWith('--')) return `-l ${name.slice(2)}`;
    return `-${name.length === 2 ? 's' : 'o'} ${name.slice(1)}`;
  });
  const value = takes === 'nothing' ? '' : values === 'file' ? ' -r -F' : ` -x ${candidates(values)}`;
  return `${named.join(' ')} -d ${quotedForFish(text)}${value}`.trimEnd();
}

function candidates(values: Values): string {
  switch (values) {
    case 'file':
      return '-F';
    case 'folder':
      return "-a '(__fish_complete_directories)'";
    case 'key':
    case 'setting':
      return `-a '(__admin_nmt_${values})'`;
    default:
      return values.length === 0 ? '' : `-a ${quotedForFish(values.join(' '))}`;
  }
}

function described(keys: readonly CompletedKey[]): string {
  return keys.map(({ path, text }) => quotedForFish(`${path}\t${text}`)).join(' ');
}

function quotedForFish(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`;
}
