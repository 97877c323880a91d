import { existsSync } from 'node:fs';
import * as path from 'node:path';
import { UserError } from '../common/errors.js';
import { log } from '../common/log.js';
import { startProgress } from '../common/progress.js';
import type { ShortlistLimits } from '../common/shortlist-limits.js';
import { findRun } from '../config/run-folder.js';
import type { Config } from '../config/schema.js';
import type { TrainingSplit } from '../data/corpus-mix.js';
import { Dictionary } from '../data/dictionary.js';
import { type Lexicon, learnLexicon, type Pairs } from '../data/lexicon.js';
import { loadDictionaries } from '../decode/load-model.js';
import { Shortlist } from '../decode/shortlist.js';
import { SHORTLIST_FILE, type Vocabularies, writeShortlist } from '../decode/shortlist-file.js';
import { openTrainingSplit } from './preprocess/training-split.js';

export interface ShortlistOptions extends ShortlistLimits {
  /** The config of the run. */
  config: Config;
  /** The file to write; by default one in the run directory. */
  output?: string;
}

/** Rounds of learning: what is among the best of a piece hardly changes after the third. */
const ITERATIONS = 5;
/** Pairs of pieces to hold: 270 MB, and as much again for a moment when there are too many. */
const MOST_ENTRIES = 10_000_000;

/**
 * `admin-nmt shortlist`: the training split of a run → for each source piece the target pieces that may translate it.
 *
 * @param run a run directory, or a checkpoint in one
 * @returns the file that was written
 * @throws UserError where the dataset of the run is not there, or is of another vocabulary
 */
export function makeShortlist(run: string, options: ShortlistOptions): string {
  const { config, first, best } = options;
  const { runDirectory } = findRun(run);
  const file = options.output ?? path.join(runDirectory, SHORTLIST_FILE);
  const dictionaries = loadDictionaries(runDirectory, config.data);
  checkDataset(config.data);
  checkVocabulary(config.data, dictionaries);
  const { destdir } = config.data;
  const dataset = openTrainingSplit(config.data);
  try {
    const pairs = spread(dataset, options.pairs);
    log.info(`Learning from ${pairs.size} of the ${dataset.size} training pairs in ${destdir}`);
    const lexicon = learn(pairs, dictionaries, best);
    const shortlist = Shortlist.of(lexicon, first);
    writeShortlist(file, shortlist, dictionaries);
    log.info(describe(shortlist, dictionaries));
  } finally {
    dataset.close();
  }
  log.info(`Shortlist: ${file}`);
  log.info(`To translate with it: admin-nmt translate ${run} --shortlist ${file} --input FILE`);
  return file;
}

/** @throws UserError where there is no dataset to learn from */
function checkDataset({ destdir }: Config['data']): void {
  if (existsSync(destdir)) return;
  throw new UserError({
    problem:
      'no such folder: it is the dataset that the run was trained on (data.destdir), from which a shortlist is learned',
    where: destdir,
    hint: 'Give the folder where it is now with --destdir FOLDER, or start the command in the folder that training was started in.',
  });
}

function checkVocabulary(
  { destdir, sourceLang, targetLang }: Config['data'],
  { source, target }: Vocabularies,
): void {
  for (const [language, { size, hash }] of [
    [sourceLang, source],
    [targetLang, target],
  ] as const) {
    const where = path.join(destdir, `dict.${language}.txt`);
    const found = Dictionary.load(where);
    if (found.hash === hash) continue;
    throw new UserError({
      problem: `expected the dictionary of the run, of ${size} symbols, found another one of ${found.size}`,
      where,
      hint: 'Give the dataset that the run was trained on with --destdir.',
    });
  }
}

/** At most so many of the pairs, from all parts of them. */
function spread(dataset: TrainingSplit, most: number): Pairs {
  const size = Math.min(most, dataset.size);
  return { size, pair: (i) => dataset.pair(Math.floor((i * dataset.size) / size)) };
}

function learn(pairs: Pairs, { source, target }: Vocabularies, best: number): Lexicon {
  const total = ITERATIONS * pairs.size;
  const progress = startProgress({ label: 'Learning', total, unit: 'pairs', plainEvery: 30_000 });
  const limits = { iterations: ITERATIONS, mostEntries: MOST_ENTRIES };
  try {
    const options = { ...limits, best, onPairs: (done: number) => progress.update(done) };
    return learnLexicon(pairs, { source: source.size, target: target.size }, options);
  } finally {
    progress.stop();
  }
}

function describe({ parts: { counts, targets, frequent } }: Shortlist, { target }: Vocabularies): string {
  const learned = counts.filter((count) => count > 0).length;
  const mean = learned === 0 ? 0 : targets.length / learned;
  return `${learned} source pieces with ${mean.toFixed(1)} target pieces on average, and the ${frequent.length} most frequent, of ${target.size}`;
}
