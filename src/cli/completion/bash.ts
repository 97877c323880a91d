import { quoted, shellCode } from './shell-code.js';
import type { CompletedCommand, CompletedKey, Values } from './table.js';

/**
 * The script for bash: tables of what may stand where, and a function that walks through the words before the cursor.
 * A value of `__admin_nmt` is `1` or `*` (an option that takes one word, or all up to the next option), a blank, and
 * words, or `@file`, `@folder`, `@key`, `@setting`; its key a command, a tab, and an option or `<N>` for an argument.
 * Bash 4.0 or later.
 */
export function bashScript(
  program: CompletedCommand,
  keys: readonly CompletedKey[],
  sections: readonly CompletedKey[],
): string {
  const all = flat(program);
  return `# Completion of admin-nmt in bash. In ~/.bashrc: source <(admin-nmt completion bash)
declare -gA __admin_nmt=(
${all.flatMap(rowsOf).join('\n')}
)
declare -gA __admin_nmt_values=(
${keys
  .filter(({ words }) => words.length > 0)
  .map(({ path, words }) => row(path, words.join(' ')))
  .join('\n')}
)
__admin_nmt_keys=${quoted(keys.map(({ path }) => path).join(' '))}
__admin_nmt_sections=${quoted(sections.map(({ path }) => path).join(' '))}
${shellCode('completion.bash')}`;
}

/** A command and all below it. */
function flat(command: CompletedCommand): CompletedCommand[] {
  return [command, ...command.below.flatMap(flat)];
}

function rowsOf({ name, below, options, arguments: places, endless }: CompletedCommand): string[] {
  return [
    row(`${name}\tcommands`, below.map((child) => child.name.split(' ').at(-1)).join(' ')),
    row(`${name}\toptions`, options.flatMap(({ names }) => names).join(' ')),
    ...options
      .filter(({ takes }) => takes !== 'nothing')
      .flatMap(({ names, takes, values }) =>
        names.map((flag) => row(`${name}\t${flag}`, `${takes === 'one' ? '1' : '*'} ${listed(values)}`)),
      ),
    ...places.map((values, i) =>
      row(`${name}\t<${endless && i === places.length - 1 ? '*' : i}>`, listed(values)),
    ),
  ];
}

function listed(values: Values): string {
  return typeof values === 'string' ? `@${values}` : values.join(' ');
}

function row(key: string, value: string): string {
  return `  [$${quoted(key).replaceAll('\t', '\\t')}]=${quoted(value)}`;
}
