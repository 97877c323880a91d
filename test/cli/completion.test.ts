import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { after, test } from 'node:test';
import { done } from './outcomes.js';
import { runProgram } from './run-program.js';

const folder = mkdtempSync(path.join(tmpdir(), 'admin-nmt-completion-'));
after(() => rmSync(folder, { recursive: true, force: true }));
mkdirSync(path.join(folder, 'my run'));
writeFileSync(path.join(folder, 'my text.de'), '');
for (const shell of ['bash', 'zsh', 'fish'])
  writeFileSync(path.join(folder, shell), done(runProgram(['completion', shell])).stdout);

/** Why a test is skipped; false where the programs are there. */
function without(...programs: string[]): string | false {
  const missing = programs.find((program) => spawnSync(program, ['--version']).error !== undefined);
  return missing === undefined ? false : `${missing} is not installed`;
}

/** Command lines with the key Tab in them (⇥), and the words that come of them, whatever the shell. */
const TYPED: readonly (readonly [line: string, ...words: string[]])[] = [
  ['transl⇥', 'translate'],
  ['train --resid⇥ deep⇥', 'train', '--residual', 'deepnorm'],
  ['train --set model.resid⇥rezero-⇥', 'train', '--set', 'model.residual=rezero-post-ln'],
  ['train --set data.prepared=t⇥', 'train', '--set', 'data.prepared=true'],
  ['translate my⇥ --format fa⇥', 'translate', 'my run', '--format', 'fairseq'],
  ['translate x -i my\\ t⇥', 'translate', 'x', '-i', 'my text.de'],
  ['config exp⇥ train.warm⇥', 'config', 'explain', 'train.warmup-'],
  ['score x -m bleu chr⇥ te⇥ --lowerc⇥', 'score', 'x', '-m', 'bleu', 'chrf', 'ter', '--lowercase'],
  ['--distributed m⇥ completion f⇥', '--distributed', 'mpi', 'completion', 'fish'],
  ['analyze dep⇥ my\\ r⇥', 'analyze', 'dependency', 'my run'],
];

/** How a shell is started as for a person, and told to print the words of a command line in brackets. */
const SHELLS = {
  bash: { start: 'bash --norc --noprofile -i', before: "bind 'set enable-bracketed-paste off'" },
  zsh: { start: 'zsh -f -i', before: 'autoload -U compinit; compinit -D -u; unsetopt list_beep' },
} as const;

/** What a shell prints that is typed to, as at a terminal. Each line waits for what the one before it printed. */
async function typed(
  shell: keyof typeof SHELLS,
  lines: readonly string[],
  signal: AbortSignal,
): Promise<string[]> {
  const { start, before } = SHELLS[shell];
  const terminal = spawn('script', ['-qec', start, '/dev/null'], {
    cwd: folder,
    signal,
    killSignal: 'SIGKILL',
    env: { ...process.env, TERM: 'xterm', PS1: '% ', HOME: folder, HISTFILE: '' },
  });
  terminal.on('error', () => {}); // that it was ended, when the test took too long
  let [seen, answers] = ['', [] as string[]];
  let heard = (): void => {};
  terminal.stdout.on('data', (bytes) => {
    seen += String(bytes);
    answers = [...seen.matchAll(/^\r*\{(.*?)\}\r*$/gm)].map(([, words]) => words);
    heard();
  });
  const answer = (count: number) =>
    new Promise<void>((resolve) => {
      heard = () => answers.length >= count && resolve();
      heard();
    });
  terminal.stdin.write(
    `${before}; source ./${shell}; admin-nmt() { printf '{'; printf '<%s>' "$@"; echo '}'; }\n`,
  );
  for (const [i, line] of lines.entries()) {
    terminal.stdin.write(`admin-nmt ${line.replaceAll('⇥', '\t')}\n`);
    await answer(i + 1);
  }
  terminal.stdin.end('exit\n');
  await new Promise((resolve) => terminal.once('close', resolve));
  return answers;
}

for (const shell of ['bash', 'zsh'] as const) {
  test(`typed to ${shell}`, { skip: without('script', shell), timeout: 60_000 }, async (t) => {
    const answers = await typed(
      shell,
      TYPED.map(([line]) => line),
      t.signal,
    );
    assert.deepEqual(
      answers.map((words) => words.replaceAll('/>', '>')), // zsh takes the slash of a folder away again
      TYPED.map(([, ...words]) => words.map((word) => `<${word}>`).join('')),
    );
  });
}

/** Ends of command lines and what may stand there, in any order. */
const ASKED: readonly (readonly [line: string, ...words: string[]])[] = [
  ['transl', 'translate'],
  ['train --residual p', 'pre-ln', 'post-ln', 'post-ln-pre-ln'],
  ['train --set model.resid', 'model.residual='],
  ['train --set model.residual=rez', 'model.residual=rezero', 'model.residual=rezero-post-ln'],
  ['--distributed mpi config ', 'schema', 'explain', 'print'],
  ['translate my', 'my run/'],
  ['score --lowerc', '--lowercase'],
  ['completion ', 'bash', 'zsh', 'fish'],
];

test('asked of fish', { skip: without('fish') }, () => {
  const asks = ASKED.map(([line]) => `complete -C "admin-nmt ${line}"; echo ==;`).join(' ');
  const { stdout, stderr } = spawnSync('fish', ['--no-config', '-c', `source ./fish; ${asks}`], {
    cwd: folder,
    encoding: 'utf8',
  });
  assert.equal(stderr, '');
  const answers = stdout.split('==\n').slice(0, -1);
  assert.deepEqual(
    answers.map((rows) =>
      rows
        .trim()
        .split('\n')
        .map((row) => row.split('\t')[0])
        .sort(),
    ),
    ASKED.map(([, ...words]) => words.sort()),
  );
});
