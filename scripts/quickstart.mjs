// npm run quickstart: from a fresh clone to a BLEU score. Installs, builds, makes the toy corpus and runs the five
// commands on it, each shown as one would type it.
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import path from 'node:path';
import { build, root } from './install.mjs';

const FOLDER = '.quickstart';
const LEAST_BLEU = 90;
const started = Date.now();
const seconds = () => Math.round((Date.now() - started) / 1000);

/** Shows a command, runs it and gives back what it printed when `capture` is set. */
function step(title, command, { capture = false } = {}) {
  console.log(`\n# ${title}\n$ ${command}`);
  const [program, ...args] = command.split(' ');
  const { status, stdout } = spawnSync(program === 'node' ? process.execPath : program, args, {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', capture ? 'pipe' : 'inherit', 'inherit'],
  });
  if (status !== 0) {
    console.error(`\nThis command failed (exit ${status}).`);
    process.exit(status ?? 1);
  }
  return stdout;
}

console.log('Installing and building …');
build();
rmSync(path.join(root, FOLDER), { recursive: true, force: true });

const program = 'node bin/admin-nmt.js';
step('a small synthetic language pair', `node dist/scripts/make-toy-corpus.js ${FOLDER}/corpus`);
step('text → tokenizer and dataset', `${program} preprocess configs/toy.yaml`);
step('variance of every residual branch → ω', `${program} profile configs/toy.yaml`);
step('dataset → model', `${program} train configs/toy.yaml`);
step(
  'text → text',
  `${program} translate ${FOLDER}/run --input ${FOLDER}/corpus/test.toa --output ${FOLDER}/test.hyp`,
);
const printed = step('text → BLEU', `${program} score ${FOLDER}/corpus/test.tob -i ${FOLDER}/test.hyp`, {
  capture: true,
});
process.stdout.write(printed);

const bleu = JSON.parse(printed).score;
console.log(`\nBLEU ${bleu} on the toy test set after ${seconds()} seconds, all in ${FOLDER}/.`);
if (bleu < LEAST_BLEU) {
  console.error(`A working installation reaches ${LEAST_BLEU}; this one did not. Please report it.`);
  process.exit(1);
}
