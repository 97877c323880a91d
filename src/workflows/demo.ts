import { existsSync, readFileSync } from 'node:fs';
import * as path from 'node:path';
import { packageRoot, writeFileAtomic } from '../common/files.js';
import { log } from '../common/log.js';
import { shellLine } from '../common/shell-words.js';
import { BLEU } from '../metrics/sacrebleu.js';
import { checkFree } from './exchange/model-run.js';

/** What a working installation reaches on the test text. */
const LEAST_BLEU = 90;

export interface DemoOptions {
  /** Flags of preprocess, profile and train. */
  flags?: readonly string[];
  leastBleu?: number;
}

/**
 * `admin-nmt demo`: from nothing to a BLEU score, by the commands that are shown. Run again, it goes on where it was
 * interrupted.
 *
 * @param folder for the text, the config, the dataset, the run and the translations
 * @param run runs a command line of the program
 * @throws UserError where the folder has something else in it
 */
export async function runDemo(
  folder: string,
  run: (args: readonly string[]) => Promise<void>,
  { flags = [], leastBleu = LEAST_BLEU }: DemoOptions = {},
): Promise<void> {
  const started = performance.now();
  const at = (name: string): string => path.join(folder, name);
  const config = at('toy.yaml');
  if (!existsSync(config)) checkFree(folder);
  writeFileAtomic(config, demoConfig(folder));
  const step = async (title: string, ...args: readonly string[]): Promise<void> => {
    log.info(`\n# ${title}\n$ ${shown(args)}`);
    await run(args);
  };
  await step('a small synthetic language pair', 'demo', '--text-only', '--output', at('corpus'));
  await step('text → tokenizer and dataset', 'preprocess', config, ...flags);
  await step('variance of every residual branch → ω', 'profile', config, ...flags);
  await step('dataset → model', 'train', config, ...flags);
  const [source, reference, translated] = [at('corpus/test.toa'), at('corpus/test.tob'), at('test.hyp')];
  await step('text → text', 'translate', at('run'), '--input', source, '--output', translated);
  await step('text → BLEU', 'score', reference, '--input', translated);
  const bleu = new BLEU().corpusScore(linesOf(translated), [linesOf(reference)]).score;
  if (bleu < leastBleu) {
    throw new Error(
      `expected a BLEU of at least ${leastBleu}, as every working installation reaches; found ${bleu.toFixed(1)}`,
    );
  }
  const seconds = Math.round((performance.now() - started) / 1000);
  log.info(
    `\nBLEU ${bleu.toFixed(1)} on the toy test set after ${seconds} seconds, all in ${folder}. To go on:`,
  );
  for (const [what, ...words] of [
    ['its curves, as a page', 'report', at('run')],
    ['without Admin', 'train', config, '--residual', 'post-ln', '--save-dir', at('post-ln')],
    ['what Admin is about', 'analyze', 'dependency', at('run'), '--html', 'dependency.html'],
  ]) {
    log.info(`  ${shown(words)}   # ${what}`);
  }
}

const shown = (args: readonly string[]): string => shellLine(['admin-nmt', ...args]);

/** configs/toy.yaml, for this folder. */
function demoConfig(folder: string): string {
  const text = readFileSync(path.join(packageRoot(), 'configs/toy.yaml'), 'utf8');
  return text
    .replace(/^# yaml-language-server.*\n/, '')
    .replace(/admin-nmt-demo(\/\S+)/g, (_, name: string) => JSON.stringify(path.join(folder, name)));
}

function linesOf(file: string): string[] {
  return readFileSync(file, 'utf8').trimEnd().split('\n');
}
