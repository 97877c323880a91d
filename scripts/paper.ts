import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { ExitCode, UserError } from '../src/common/errors.js';
import { packageRoot } from '../src/common/files.js';
import { shellLine } from '../src/common/shell-words.js';
import { PASSAGES } from './paper-figures.js';
import { type PageCommand, readPage } from './paper-page.js';
import { type Execute, runCommands, WorkFolder } from './paper-run.js';
import { compareFigures, describe } from './paper-verdicts.js';

/**
 * npm run paper -- --data-root FOLDER [--only TEXT] [--out paper-run]
 * npm run paper -- --short [--only TEXT] [--out paper-short]
 *
 * Runs the commands of docs/paper.md in their order, as they are printed, and compares the figures of the page with what they
 * leave in the work folder. FOLDER holds Multi30k. --only takes those commands that stand under headings which
 * begin with the text ("3."), or else those that hold it. A command that has come to its end is not run again; sweeps and trainings go on where they
 * were stopped. --short runs them with tiny models on a toy text, sweeps with --dry-run, and compares what does not depend on either.
 */
const { values } = parseArgs({
  options: {
    'data-root': { type: 'string' },
    only: { type: 'string', default: '' },
    out: { type: 'string' },
    short: { type: 'boolean', default: false },
  },
});

/** By a shell, with this checkout's program as admin-nmt. */
const execute: Execute = (line, folder, log) => {
  const bin = path.join(folder, 'bin');
  fs.mkdirSync(bin, { recursive: true });
  const program = shellLine([process.execPath, path.join(packageRoot(), 'bin/admin-nmt.js')]);
  fs.writeFileSync(path.join(bin, 'admin-nmt'), `#!/bin/sh\nexec ${program} "$@"\n`, { mode: 0o755 });
  const file = fs.openSync(log, 'w');
  const child = spawn('sh', ['-c', `exec ${line}`], {
    cwd: folder,
    stdio: ['ignore', file, file],
    env: { ...process.env, PATH: `${bin}:${process.env.PATH}` },
  });
  fs.closeSync(file);
  let stopped = false;
  const stop = (signal: NodeJS.Signals): void => {
    stopped = true;
    if (signal === 'SIGTERM') child.kill(signal); // Ctrl-C goes from the terminal to the command, too, which saves then
  };
  process.on('SIGINT', stop).on('SIGTERM', stop);
  return new Promise((resolve, reject) => {
    child.once('error', reject).once('close', (code) => {
      process.off('SIGINT', stop).off('SIGTERM', stop);
      resolve(stopped ? null : (code ?? ExitCode.bug));
    });
  });
};

/** The commands under the headings that begin with a text, or else those that hold it. */
function choose(commands: readonly PageCommand[], text: string): readonly PageCommand[] {
  const under = commands.filter(({ headings }) => headings.some((heading) => heading.startsWith(text)));
  return under.length > 0 ? under : commands.filter(({ line }) => line.includes(text));
}

async function main(): Promise<number> {
  const { short, only, 'data-root': dataRoot } = values;
  if (short === (dataRoot !== undefined))
    throw new UserError({ problem: 'expected either --data-root FOLDER, which holds Multi30k, or --short' });
  const { commands } = readPage();
  const todo = choose(commands, only);
  if (todo.length === 0)
    throw new UserError({
      problem: `expected a part of a command, or the beginning of a heading, of docs/paper.md; found --only '${only}'`,
    });
  const work = new WorkFolder(path.resolve(values.out ?? (short ? 'paper-short' : 'paper-run')), dataRoot);
  const failed = await runCommands(todo, work, { short, execute, say: console.log });
  if (failed === null) return ExitCode.sigint;
  const ended = new Set(commands.filter((command) => work.hasEnded(command)).map(({ output }) => output));
  const verdicts = compareFigures(PASSAGES, work.folder, ended, short);
  console.log(['', ...describe(verdicts), ''].join('\n'));
  const count = (kind: string): number => verdicts.filter(({ verdict }) => verdict === kind).length;
  const counts = `${count('within')} within, ${count('outside')} outside, ${count('not compared')} not compared`;
  console.log(`Figures of the page: ${counts}. Commands that failed: ${failed}.`);
  return failed + count('outside') === 0 ? ExitCode.ok : ExitCode.wrong;
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  console.error(`error: ${error.message}`);
  process.exitCode = ExitCode.user;
}
