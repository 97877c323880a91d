import assert from 'node:assert/strict';
import type { Command } from 'commander';
import { createProgram } from '../../src/cli/program.js';
import { spellOutScoreFlags } from '../../src/cli/score-command.js';
import { configKeys, configSections } from '../../src/config/keys.js';

/** A part of a command line: quoted, white space, what the shell takes for itself up to the end, a character. */
const PART = /'([^']*)'|"([^"]*)"|(\s+)|((?:[|;&<>]|(?<=^|\s)#).*)|(.)/gsy;

/** The words of a command line as a shell gives them to the program. */
export function wordsOf(line: string): string[] {
  const words: string[] = [];
  let open = false;
  for (const [, single, double, space, end, character] of line.matchAll(PART)) {
    if (end !== undefined) break;
    const text = single ?? double ?? character;
    if (space === undefined) words.push(open ? words.pop() + text : text);
    open = space === undefined;
  }
  return words;
}

/** The program, which does nothing but read its command line. */
async function parser(): Promise<Command> {
  const program = await createProgram();
  const silence = (command: Command): void => {
    command.action(() => {}).configureOutput({ writeOut: () => {}, writeErr: () => {} });
    for (const below of command.commands) silence(below);
  };
  for (const command of program.commands) silence(command);
  return program;
}

/** Keys that are set without a flag of their own. */
function keysIn(words: readonly string[]): string[] {
  return words.flatMap((word, i) =>
    ['--set', '--grid', '--allow-change'].includes(words[i - 1]) ? word.split('=')[0].split(',') : [],
  );
}

/** Fails unless the program takes a command line, which nothing but parses it. @param line what stands after `admin-nmt` */
export async function takes(line: string): Promise<void> {
  const words = wordsOf(line);
  const args = words[0] === 'score' ? spellOutScoreFlags(words) : words;
  const program = await parser();
  await program.parseAsync(args, { from: 'user' }).catch((error: Error) => {
    assert.fail(`admin-nmt ${line}\n${error.message}`);
  });
  for (const key of keysIn(words))
    assert.ok(configKeys.has(key) || configSections.has(key), `${line}: ${key}`);
}
