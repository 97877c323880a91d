import { existsSync, statSync } from 'node:fs';
import * as path from 'node:path';
import { UserError } from '../common/errors.js';
import { textOf } from './line-bytes.js';
import { checkPairs, type FileDigest, readPairBytes } from './pair-bytes.js';

/** Where the sentences of both languages are: a file for each, or one with a column for each. */
export type ParallelText = (
  | { readonly kind: 'files'; readonly source: string; readonly target: string }
  | { readonly kind: 'tsv'; readonly file: string }
) & {
  /** A file with an alignment of each pair. */
  readonly links?: string;
};

/** Whether a file has a column for each language, by its name. */
export const isTable = (name: string): boolean => /\.tsv(\.gz)?$/.test(name);

/** Sentence pairs; both lists are of one length. */
export interface PairBlock {
  readonly source: readonly string[];
  readonly target: readonly string[];
}

/**
 * Finds the text that a config means: PREFIX for `PREFIX.de` and `PREFIX.en`, each plain or with `.gz` (plain where
 * both are there), or the name of a `.tsv` or `.tsv.gz` with a source and a target column.
 *
 * @param key of the config, for the error
 * @throws UserError where no such file is there
 */
export function findParallelText(
  prefix: string,
  sourceLang: string,
  targetLang: string,
  key: string,
): ParallelText {
  if (isTable(prefix)) return { kind: 'tsv', file: findFile([prefix], key) };
  const [source, target] = [sourceLang, targetLang].map((language) =>
    findFile([`${prefix}.${language}`, `${prefix}.${language}.gz`], key),
  );
  return { kind: 'files', source, target };
}

/**
 * A text with the alignments that lie beside it, at PREFIX.SUFFIX, plain or with `.gz`: for `news.tsv` as well as for
 * `news.de` and `news.en` at `news.align`.
 *
 * @param key of the config, for the error
 * @param needed whether it is an error where there are none; else the text is given back as it is
 */
export function withLinks(
  text: ParallelText,
  prefix: string,
  { suffix, key, needed }: { suffix: string; key: string; needed: boolean },
): ParallelText {
  const stem = prefix.replace(/\.tsv(\.gz)?$/, '');
  const candidates = [`${stem}.${suffix}`, `${stem}.${suffix}.gz`];
  if (!needed && !candidates.some((candidate) => existsSync(candidate))) return text;
  return { ...text, links: findFile(candidates, `data.align-suffix of ${key}`, LINKS_HINT) };
}

/** The files of a text, but for its alignments. */
export function filesOf(text: ParallelText): readonly string[] {
  return text.kind === 'tsv' ? [text.file] : [text.source, text.target];
}

const TEXT_HINT =
  'A text is PREFIX for PREFIX.<lang> or PREFIX.<lang>.gz, or a .tsv; it is relative to data.root. That of a recipe is made by configs/recipes/prepare.mjs (--list: where from, how large).';
const LINKS_HINT =
  'Each training text has its alignments beside it, PREFIX.<suffix> or PREFIX.<suffix>.gz; for one without any it is a file of as many blank lines.';

function findFile(candidates: readonly string[], key: string, hint = TEXT_HINT): string {
  const file = candidates.find((candidate) => existsSync(candidate));
  if (file === undefined) {
    throw new UserError({
      problem: `${key}: no such file${candidates.length > 1 ? `, nor ${path.basename(candidates[1])}` : ''}`,
      where: candidates[0],
      hint,
    });
  }
  if (statSync(file).isDirectory()) {
    throw new UserError({
      problem: `${key}: this is a directory, a file was expected`,
      where: file,
      hint: 'Give the path of a file.',
    });
  }
  return file;
}

/**
 * Reads the pairs of a text, many at a time, and ends with a digest of each of its files.
 *
 * @throws UserError as readPairBytes and checkPairs
 */
export async function* readPairs(text: ParallelText): AsyncGenerator<PairBlock, FileDigest[], void> {
  const blocks = readPairBytes(filesOf(text));
  let step = await blocks.next();
  for (; !step.done; step = await blocks.next()) {
    const [source, target] = checkPairs(step.value).map(textOf);
    yield { source, target };
  }
  return step.value;
}
