import { createHash } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import * as path from 'node:path';
import { UserError } from '../common/errors.js';
import { readLineBlocks } from './text-source.js';

/** Where the sentences of both languages are: a file for each, or one with a column for each. */
export type ParallelText =
  | { readonly kind: 'files'; readonly source: string; readonly target: string }
  | { readonly kind: 'tsv'; readonly file: string };

/** Sentence pairs; both lists are of one length. */
export interface PairBlock {
  readonly source: readonly string[];
  readonly target: readonly string[];
}

/** What was read of a file. */
export interface FileDigest {
  readonly bytes: number;
  /** Of the file as it lies on the disk, packed or not. */
  readonly sha256: string;
  readonly lines: number;
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
  if (/\.tsv(\.gz)?$/.test(prefix)) return { kind: 'tsv', file: findFile([prefix], key) };
  const [source, target] = [sourceLang, targetLang].map((language) =>
    findFile([`${prefix}.${language}`, `${prefix}.${language}.gz`], key),
  );
  return { kind: 'files', source, target };
}

/** The files of a text. */
export function filesOf(text: ParallelText): readonly string[] {
  return text.kind === 'tsv' ? [text.file] : [text.source, text.target];
}

function findFile(candidates: readonly string[], key: string): string {
  const file = candidates.find((candidate) => existsSync(candidate));
  if (file === undefined) {
    throw new UserError({
      problem: `${key}: no such file${candidates.length > 1 ? `, nor ${path.basename(candidates[1])}` : ''}`,
      where: candidates[0],
      hint: 'A text is PREFIX for PREFIX.<lang> or PREFIX.<lang>.gz, or a .tsv; it is relative to data.root. That of a recipe is made by configs/recipes/prepare.mjs (--list: where from, how large).',
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
 * @throws UserError that names file and line for what is wrong with a line (see readLines; in a .tsv also for
 *   columns that are not two), and both files with their counts where one has more lines than the other
 */
export async function* readPairs(text: ParallelText): AsyncGenerator<PairBlock, FileDigest[], void> {
  return text.kind === 'tsv' ? yield* readColumns(text.file) : yield* readFiles(text.source, text.target);
}

async function* readColumns(file: string): AsyncGenerator<PairBlock, FileDigest[], void> {
  const reader = new DigestReader(file);
  for (let lines = await reader.next(); lines !== undefined; lines = await reader.next()) {
    const source: string[] = [];
    const target: string[] = [];
    lines.forEach((line, i) => {
      const columns = line.split('\t');
      if (columns.length !== 2) {
        throw new UserError({
          problem: `expected two columns, source and target with a tab between them, found ${columns.length}`,
          where: `${file}:${reader.lines - lines.length + i + 1}`,
          hint: 'Mend or remove the line.',
        });
      }
      source.push(columns[0]);
      target.push(columns[1]);
    });
    yield { source, target };
  }
  return [reader.digest()];
}

async function* readFiles(
  sourceFile: string,
  targetFile: string,
): AsyncGenerator<PairBlock, FileDigest[], void> {
  const source = new DigestReader(sourceFile);
  const target = new DigestReader(targetFile);
  try {
    let [left, right]: string[][] = [[], []];
    for (;;) {
      if (left.length === 0) left = (await source.next()) ?? [];
      if (right.length === 0) right = (await target.next()) ?? [];
      const count = Math.min(left.length, right.length);
      if (count === 0) break;
      yield { source: left.slice(0, count), target: right.slice(0, count) };
      [left, right] = [left.slice(count), right.slice(count)];
    }
    await Promise.all([source.skip(), target.skip()]);
    if (source.lines !== target.lines) throw unequalLines(source, target);
    return [source.digest(), target.digest()];
  } finally {
    await Promise.all([source.close(), target.close()]);
  }
}

function unequalLines(source: DigestReader, target: DigestReader): UserError {
  return new UserError({
    problem: `expected as many lines in both files, found ${source.lines} in ${source.file} and ${target.lines} in ${target.file}`,
    where: source.lines < target.lines ? source.file : target.file,
    hint: 'Line n of one file is the translation of line n of the other: find the line that is missing.',
  });
}

/** Reads the lines of a file and keeps the count and the checksum of what was read. */
class DigestReader {
  readonly file: string;
  lines = 0;
  private bytes = 0;
  private readonly hash = createHash('sha256');
  private readonly blocks: AsyncGenerator<string[], void, void>;

  constructor(file: string) {
    this.file = file;
    this.blocks = readLineBlocks(file, {
      onBytes: (bytes) => {
        this.bytes += bytes.length;
        this.hash.update(bytes);
      },
    });
  }

  /** Some lines, or undefined at the end. */
  async next(): Promise<string[] | undefined> {
    const { done, value } = await this.blocks.next();
    if (done) return undefined;
    this.lines += value.length;
    return value;
  }

  /** Reads to the end. */
  async skip(): Promise<void> {
    while ((await this.next()) !== undefined);
  }

  async close(): Promise<void> {
    await this.blocks.return();
  }

  digest(): FileDigest {
    return { bytes: this.bytes, sha256: this.hash.digest('hex'), lines: this.lines };
  }
}
