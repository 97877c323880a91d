import type { Command, Help, Option } from 'commander';
import { broken, EXAMPLES } from './examples.js';

/** A page of the manual, section 1. */
export interface ManualPage {
  /** `admin-nmt-train.1` */
  readonly file: string;
  /** For the macros `man` of roff. */
  readonly text: string;
}

const EXIT_STATUS = [
  ['0', 'Done.'],
  ['1', 'A fault of admin-nmt, a training that diverged, or an engine that computes wrong.'],
  ['2', 'A mistake in the command line, config, text or surroundings, which the message tells how to mend.'],
  ['130, 143', 'Interrupted by a signal, and saved.'],
] as const;

/**
 * The pages of the program and of each of its commands, of what their help is made of.
 *
 * @param version of the program
 */
export function manualPages(program: Command, version: string): ManualPage[] {
  return [
    page(program, [program.name()], version),
    ...program.commands.flatMap((command) => pagesOf(command, [program.name(), command.name()], version)),
  ];
}

function pagesOf(command: Command, words: readonly string[], version: string): ManualPage[] {
  return [
    page(command, words, version),
    ...command.commands.flatMap((below) => pagesOf(below, [...words, below.name()], version)),
  ];
}

function page(command: Command, words: readonly string[], version: string): ManualPage {
  const help = command.createHelp();
  const name = words.join('-');
  const sections = [
    section('NAME', [`${roff(name)} \\- ${roff(command.description().replace(/\.$/, ''))}`]),
    section('SYNOPSIS', [`\\fB${roff(words.join(' '))}\\fR ${roff(command.usage())}`]),
    section('DESCRIPTION', [roff(command.description())]),
    section('COMMANDS', commandEntries(command, help)),
    section(
      'ARGUMENTS',
      command.registeredArguments.map((argument) =>
        entry(italic(argument.name()), help.argumentDescription(argument)),
      ),
    ),
    ...optionSections(command, help),
    examples(words.slice(1).join(' ')),
    section(
      'EXIT STATUS',
      EXIT_STATUS.map(([code, text]) => entry(bold(code), text)),
    ),
    section('SEE ALSO', [seeAlso(words)]),
  ];
  const title = `.TH ${macroArgument(name.toUpperCase())} 1 "" ${macroArgument(`admin-nmt ${version}`)} "admin\\-nmt"`;
  return { file: `${name}.1`, text: `${[title, ...sections.filter((text) => text !== '')].join('\n')}\n` };
}

function section(title: string, lines: readonly string[]): string {
  return lines.length === 0 ? '' : [`.SH ${macroArgument(title)}`, ...lines].join('\n');
}

function commandEntries(command: Command, help: Help): string[] {
  return command.commands.map((below) => entry(bold(below.name()), help.subcommandDescription(below)));
}

/** Options under the headings that the help has them under. */
function optionSections(command: Command, help: Help): string[] {
  const groups = new Map<string, Option[]>();
  for (const option of help.visibleOptions(command)) {
    const title = option.helpGroupHeading ?? 'OPTIONS';
    groups.set(title, [...(groups.get(title) ?? []), option]);
  }
  return [...groups].map(([title, options]) =>
    section(
      title,
      options.map((option) => entry(flags(option), help.optionDescription(option))),
    ),
  );
}

function examples(name: string): string {
  if (!Object.hasOwn(EXAMPLES, name)) return '';
  const { lines } = EXAMPLES[name];
  return section('EXAMPLES', [
    'With the files that',
    `.B ${roff('admin-nmt demo')}`,
    'makes:',
    ...lines.map(
      ([line, what]) => `.PP\n${roff(what)}\n.PP\n.nf\n${broken(line).split('\n').map(roff).join('\n')}\n.fi`,
    ),
  ]);
}

function seeAlso(words: readonly string[]): string {
  const name = words.slice(1).join(' ');
  const docs = Object.hasOwn(EXAMPLES, name) ? EXAMPLES[name].page : 'index.md';
  const above = words.length === 1 ? [] : [`\\fB${roff(words.slice(0, -1).join('-'))}\\fR(1), `];
  return `${above.join('')}docs/${roff(docs)} in the folder of the package`;
}

function entry(term: string, text: string): string {
  return `.TP\n${term}\n${roff(text)}`;
}

/** Names in bold, what they take in italics. */
function flags(option: Option): string {
  return option.flags
    .split(/(<[^>]*>)/)
    .filter((part) => part !== '')
    .map((part) => (part.startsWith('<') ? `\\fI${roff(part.slice(1, -1))}\\fR` : `\\fB${roff(part)}\\fR`))
    .join('');
}

const bold = (text: string): string => `\\fB${roff(text)}\\fR`;
const italic = (text: string): string => `\\fI${roff(text)}\\fR`;

function macroArgument(text: string): string {
  return `"${roff(text).replaceAll('"', '\\(dq')}"`;
}

/** Characters that not every font of roff has. */
const PLAIN: Readonly<Record<string, string>> = {
  '…': '...',
  '→': '\\(->',
  '₁': '1',
  '₂': '2',
  '≤': '\\(<=',
  '×': '\\(mu',
  '·': '\\(pc',
};

/** Text as roff takes it, in ASCII. */
function roff(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^([.'])/, '\\&$1')
    .replace(/[^ -~\n]/gu, (character) => PLAIN[character] ?? `\\[u${codeOf(character)}]`);
}

function codeOf(character: string): string {
  return character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0');
}
