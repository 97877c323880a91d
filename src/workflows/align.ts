import { UserError } from '../common/errors.js';
import { log } from '../common/log.js';
import { startProgress } from '../common/progress.js';
import { isTable, type ParallelText, readPairs } from '../data/parallel-text.js';
import type { Symmetry } from '../data/symmetrize.js';
import { alignWords, WordColumn } from '../data/word-aligner.js';
import type { LineOutput } from './translate.js';

export interface AlignOptions {
  /** The text, and its translations, a line for each line; or the one file of both, a `.tsv`. */
  source: string;
  target?: string;
  iterations: number;
  symmetry: Symmetry;
  /** Opens what is written to, once the text is read. */
  openOutput: () => LineOutput;
}

/** Pairs of words to hold in each direction: 510 MB, and as much again for a moment when there are too many. */
const MOST_ENTRIES = 10_000_000;
/** Pairs whose links are written at a time. */
const BLOCK = 1000;

/**
 * `admin-nmt align`: a parallel text → which word of each sentence goes with which, in Pharaoh's format, learned from the
 * text itself.
 *
 * @throws UserError for files that cannot be read, or have not the same number of lines; nothing is then written
 */
export async function alignText(options: AlignOptions): Promise<void> {
  const { iterations, symmetry, openOutput } = options;
  const [source, target] = await readWords(textOf(options));
  const pairs = source.sentences;
  const total = 2 * iterations * pairs;
  const progress = startProgress({ label: 'Learning', total, unit: 'pairs', plainEvery: 30_000 });
  const learning = { iterations, symmetry, mostEntries: MOST_ENTRIES };
  let linksOf: ReturnType<typeof alignWords>;
  try {
    linksOf = alignWords(source, target, { ...learning, onPairs: (done) => progress.update(done) });
  } finally {
    progress.stop();
  }
  const output = openOutput();
  try {
    let links = 0;
    for (let from = 0; from < pairs; from += BLOCK) {
      const lines = Array.from({ length: Math.min(BLOCK, pairs - from) }, (_, i) => linksOf(from + i));
      for (const line of lines) links += line.length;
      const text = lines.map((line) => `${line.map((link) => link.join('-')).join(' ')}\n`);
      if (!(await output.write(text.join('')))) return;
    }
    output.commit();
    const mean = pairs === 0 ? 0 : links / pairs;
    log.info(`${pairs} pairs, ${links} links, ${mean.toFixed(1)} a pair`);
  } finally {
    output.close();
  }
}

/** @throws UserError where there is one file, which is no table */
function textOf({ source, target }: AlignOptions): ParallelText {
  if (target !== undefined) return { kind: 'files', source, target };
  if (isTable(source)) return { kind: 'tsv', file: source };
  throw new UserError({
    problem: 'expected two texts, found --source alone',
    hint: 'Give its translations with --target FILE; a .tsv has both.',
  });
}

async function readWords(text: ParallelText): Promise<[source: WordColumn, target: WordColumn]> {
  const [source, target] = [new WordColumn(), new WordColumn()];
  const progress = startProgress({ label: 'Reading', unit: 'pairs' });
  try {
    for await (const block of readPairs(text)) {
      for (const line of block.source) source.add(line);
      for (const line of block.target) target.add(line);
      progress.update(source.sentences);
    }
  } finally {
    progress.stop();
  }
  return [source, target];
}
