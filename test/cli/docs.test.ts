import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import * as path from 'node:path';
import { describe, test } from 'node:test';
import type { Command } from 'commander';
import { createProgram } from '../../src/cli/program.js';
import { spellOutScoreFlags } from '../../src/cli/score-command.js';
import { packageRoot } from '../../src/common/files.js';
import { configKeys, configSections } from '../../src/config/keys.js';

/** The pages with command lines: README.md and docs/. */
const PAGES = [
  'README.md',
  ...readdirSync(path.join(packageRoot(), 'docs')).map((name) => `docs/${name}`),
].filter((name) => name.endsWith('.md'));

/** A part of a command line: quoted, white space, what the shell takes for itself up to the end, a character. */
const PART = /'([^']*)'|"([^"]*)"|(\s+)|((?:[|;&<>]|(?<=^|\s)#).*)|(.)/gsy;

/** The words of a command line as a shell gives them to the program. */
function wordsOf(line: string): string[] {
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

/**
 * The command lines in the blocks of code of a page; not those that are shown with the error that they give, and those
 * with brackets or dots, which say what there may be.
 */
function commandsIn(page: string): string[] {
  const text = readFileSync(path.join(packageRoot(), page), 'utf8');
  const blocks = [...text.matchAll(/^ *```(?:\w*)\n([\s\S]*?)^ *```/gm)].map(([, block]) => block);
  return blocks.flatMap((block) =>
    [
      ...block
        .replace(/\\\n\s*/g, '')
        .matchAll(/^(?:\$ )?(?:.*\| *)?(?:npx |node bin\/)?admin-nmt(?:\.js)? (.*)$(?!\nerror:)/gm),
    ]
      .map(([, line]) => line)
      .filter((line) => !/(^|\s)\[|…|\.\.\./.test(line)),
  );
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

describe('the command lines of the docs are such that the program takes them', () => {
  for (const page of PAGES) {
    test(page, async (t) => {
      const commands = commandsIn(page);
      t.diagnostic(`${commands.length} command lines`);
      for (const line of commands) {
        const words = wordsOf(line);
        const args = words[0] === 'score' ? spellOutScoreFlags(words) : words;
        const program = await parser();
        await program.parseAsync(args, { from: 'user' }).catch((error: Error) => {
          assert.fail(`admin-nmt ${line}\n${error.message}`);
        });
        for (const key of keysIn(words))
          assert.ok(configKeys.has(key) || configSections.has(key), `${line}: ${key}`);
      }
    });
  }

  test('they are found', () => {
    assert.deepEqual(wordsOf(`a 'b c' d="e f" g#h > i`), ['a', 'b c', 'd=e f', 'g#h']);
    assert.deepEqual(wordsOf('run < in > out # comment'), ['run']);
    assert.ok(PAGES.flatMap(commandsIn).length > 60);
  });
});
