import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import * as path from 'node:path';
import { describe, test } from 'node:test';
import { packageRoot } from '../../src/common/files.js';
import { takes, wordsOf } from './command-lines.js';

/** The pages with command lines: README.md and docs/. */
const PAGES = [
  'README.md',
  ...readdirSync(path.join(packageRoot(), 'docs')).map((name) => `docs/${name}`),
].filter((name) => name.endsWith('.md'));

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

/** The text of all sources. */
function sources(): string {
  const folder = path.join(packageRoot(), 'src');
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(path.join(folder, name), 'utf8'))
    .join('\n');
}

test('the messages in docs/troubleshooting.md are those of the program', () => {
  const page = readFileSync(path.join(packageRoot(), 'docs/troubleshooting.md'), 'utf8');
  const all = sources();
  const quoted = [...page.replace(/^```[\s\S]*?^```/gm, '').matchAll(/`([^`]+)`/g)]
    .map(([, text]) => text.replaceAll('\n', ' '))
    .filter((text) =>
      /\b(expected|The loss|the last checkpoint could|is not available|was trained with|no space left|diverged:|out of memory:)/.test(
        text,
      ),
    );
  assert.ok(quoted.length > 12, `${quoted.length} messages`);
  for (const text of quoted) {
    // What stands for a value, or is one: dots, numbers, names of files and keys.
    const fixed = text.split(/…|[\w./-]*[./\d][\w./-]*|'[^']*'|[,;:] /).map((part) => part.trim());
    for (const part of fixed.filter((words) => words.split(' ').length > 2))
      assert.ok(all.includes(part), `${text}\n${part}`);
  }
});

describe('the command lines of the docs are such that the program takes them', () => {
  for (const page of PAGES) {
    test(page, async (t) => {
      const commands = commandsIn(page);
      t.diagnostic(`${commands.length} command lines`);
      for (const line of commands) await takes(line);
    });
  }

  test('they are found', () => {
    assert.deepEqual(wordsOf(`a 'b c' d="e f" g#h > i`), ['a', 'b c', 'd=e f', 'g#h']);
    assert.deepEqual(wordsOf('run < in > out # comment'), ['run']);
    assert.ok(PAGES.flatMap(commandsIn).length > 60);
  });
});
