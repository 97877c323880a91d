import assert from 'node:assert/strict';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { after, describe, test } from 'node:test';
import type { Command } from 'commander';
import { broken, EXAMPLES } from '../../src/cli/examples.js';
import { createProgram } from '../../src/cli/program.js';
import { packageRoot } from '../../src/common/files.js';
import { writeToyCorpus } from '../../src/data/toy-language.js';
import { takes, wordsOf } from './command-lines.js';
import { done } from './outcomes.js';
import { runProgram } from './run-program.js';

const PROGRAM = 'admin-nmt ';

/** Examples that are not run here: they train for minutes or several times, wait for a signal, or measure. Their own tests do. */
const LONG = /^admin-nmt (demo$|serve |check --backend|.* --(watch|test)$)/;

/** What makes a model of the demo's text in a second, in place of minutes. */
const TINY = `model: { embed-dim: 8, ffn-embed-dim: 8, attention-heads: 1, encoder: { layers: 1 }, decoder: { layers: 1 } }
decode: { beam: 3, max-len-a: 0, max-len-b: 4 }`;

const folder = mkdtempSync(path.join(tmpdir(), 'admin-nmt-examples-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const at = (name: string): string => path.join(folder, 'admin-nmt-demo', name);

function makeDemo(): void {
  writeToyCorpus(at('corpus'), { pairs: 300, valid: 20, test: 20 });
  const config = readFileSync(path.join(packageRoot(), 'configs/toy.yaml'), 'utf8');
  writeFileSync(
    at('toy.yaml'),
    config
      .replace(/^data:/m, `${TINY}\ndata:\n  tokenizer: { vocab-size: 200 }`)
      .replace(
        /^train:/m,
        'train:\n  max-update: 4\n  validate-interval-updates: 2\n  save-interval-updates: 2',
      ),
  );
}

/** Names of commands that do something: those of groups stand before theirs. */
function names(command: Command, before = ''): string[] {
  return command.commands.flatMap((below) =>
    below.commands.length > 0 ? names(below, `${below.name()} `) : [before + below.name()],
  );
}

test('each command has examples, and a page that is there', async () => {
  assert.deepEqual(Object.keys(EXAMPLES), names(await createProgram()));
  const readme = readFileSync(path.join(packageRoot(), 'README.md'), 'utf8');
  for (const [name, { page, lines }] of Object.entries(EXAMPLES)) {
    assert.ok(existsSync(path.join(packageRoot(), 'docs', page)), page);
    const [command] = name.split(' ');
    assert.match(readme, new RegExp(`\`${command}\` .*\\(docs/${page.replace('.', '\\.')}\\)`), name);
    for (const [line] of lines) assert.ok(line.startsWith(`${PROGRAM}${name}`), line);
  }
});

test('they parse, broken into lines as well', async () => {
  for (const [line] of Object.values(EXAMPLES).flatMap(({ lines }) => lines)) {
    await takes(line.slice(PROGRAM.length));
    const rows = broken(line).split('\n');
    assert.ok(
      rows.every((row) => row.length <= 80),
      broken(line),
    );
    assert.deepEqual(wordsOf(rows.join('').replaceAll('\\', '')), wordsOf(line));
  }
});

describe('as they are written, one after the other', () => {
  makeDemo();
  for (const [name, { lines }] of Object.entries(EXAMPLES)) {
    test(name, () => {
      if (name === 'score') copyFileSync(path.join(folder, 'hypotheses.tob'), at('test.hyp'));
      for (const [line] of lines.filter(([candidate]) => !LONG.test(candidate))) run(line);
    });
  }
});

/** Runs a command line with `<` and `>` as a shell would. */
function run(line: string): void {
  const [, command, input, output] = /^(.*?)(?: < (\S+))?(?: > (\S+))?$/.exec(line)!;
  const { stdout } = done(
    runProgram(wordsOf(command.slice(PROGRAM.length)), {
      cwd: folder,
      input: input && readFileSync(path.join(folder, input), 'utf8'),
    }),
  );
  if (output !== undefined) writeFileSync(path.join(folder, output), stdout);
}
