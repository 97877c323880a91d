import { existsSync } from 'node:fs';
import * as path from 'node:path';
import { UserError } from '../common/errors.js';
import { sha256 } from '../common/files.js';
import { Dictionary, EOS } from './dictionary.js';
import { IndexedDataset } from './indexed-dataset.js';
import { dataFile, indexFile } from './indexed-format.js';
import { PieceAlignment } from './piece-alignment.js';

/** Ids of a sentence pair, both sides ending in `</s>`. */
export interface SentencePair {
  source: Int32Array;
  target: Int32Array;
  /** Source and target place of tokens that go together, in turn, from 0; where the split was opened with its alignments. */
  links?: Int32Array;
}

/**
 * A split of a data-bin in fairseq's layout: `SPLIT.SRC-TGT.SRC.{bin,idx}` and `SPLIT.SRC-TGT.TGT.{bin,idx}` beside
 * `dict.SRC.txt` and `dict.TGT.txt`. A data-bin of the other direction (`SPLIT.TGT-SRC.…`) serves as well. Alignments
 * are in `SPLIT.align.SRC-TGT.{bin,idx}`.
 */
export class ParallelDataset {
  /** Tokens of each sentence, `</s>` counted: [N]. */
  readonly sourceLengths: Int32Array;
  readonly targetLengths: Int32Array;
  private readonly source: Side;
  private readonly target: Side;
  private readonly alignment: PieceAlignment | null;

  private constructor(source: Side, target: Side, alignment: PieceAlignment | null) {
    this.source = source;
    this.target = target;
    this.alignment = alignment;
    this.sourceLengths = source.dataset.sizes;
    this.targetLengths = target.dataset.sizes;
  }

  /**
   * @param split `train`, `valid`, `test`, …
   * @param options.aligned whether pairs are wanted with their links
   * @throws UserError for files that are missing, damaged, or of unequal length
   */
  static open(
    destdir: string,
    split: string,
    sourceLang: string,
    targetLang: string,
    { aligned = false } = {},
  ): ParallelDataset {
    const stem = findStem(destdir, split, sourceLang, targetLang);
    if (stem === undefined) {
      const expected = path.join(destdir, `${split}.${sourceLang}-${targetLang}.${sourceLang}.idx`);
      throw new UserError({
        problem: `expected the ${split} split of a dataset in fairseq's mmap format, found no such file`,
        where: expected,
        hint: `Check data.destdir and the languages, and that data.${split} was set when the dataset was made.`,
      });
    }
    const source = openSide(destdir, stem, sourceLang);
    let target: Side | undefined;
    try {
      target = openSide(destdir, stem, targetLang);
      checkLengths(source, target);
      const pair = stem.slice(split.length + 1);
      const isSwapped = pair !== `${sourceLang}-${targetLang}`;
      const alignment = aligned
        ? PieceAlignment.open(destdir, split, pair, isSwapped, target.dataset.length)
        : null;
      return new ParallelDataset(source, target, alignment);
    } catch (error) {
      source.dataset.close();
      target?.dataset.close();
      throw error;
    }
  }

  /** Whether a split has alignments. */
  static isAligned(destdir: string, split: string, sourceLang: string, targetLang: string): boolean {
    const stem = findStem(destdir, split, sourceLang, targetLang);
    return stem !== undefined && PieceAlignment.exists(destdir, split, stem.slice(split.length + 1));
  }

  static exists(destdir: string, split: string, sourceLang: string, targetLang: string): boolean {
    return findStem(destdir, split, sourceLang, targetLang) !== undefined;
  }

  /** Number of pairs. */
  get size(): number {
    return this.sourceLengths.length;
  }

  /** @throws UserError for ids that are not in the dictionary, or a sentence that does not end in `</s>` */
  pair(i: number): SentencePair {
    const read = (side: Side): Int32Array => checkSentence(side, i, side.dataset.get(i));
    const pair = { source: read(this.source), target: read(this.target) };
    return this.alignment === null ? pair : { ...pair, links: this.alignment.of(i, pair) };
  }

  /** Reads every pair, from the first byte to the last. @throws as pair, for the first that does not fit */
  check(): void {
    const [sources, targets] = [this.source, this.target].map(({ dataset }) => dataset.items());
    for (let i = 0; i < this.size; i++) {
      const source = checkSentence(this.source, i, sources.next().value!);
      const target = checkSentence(this.target, i, targets.next().value!);
      this.alignment?.of(i, { source, target });
    }
  }

  /** Some pairs, read while this thread does something else. @throws as pair */
  async pairs(indices: Int32Array): Promise<SentencePair[]> {
    const [source, target] = await Promise.all(
      [this.source, this.target].map(async (side) => {
        const sentences = await side.dataset.getAll(indices);
        return sentences.map((ids, i) => checkSentence(side, indices[i], ids));
      }),
    );
    const pairs = source.map((ids, i) => ({ source: ids, target: target[i] }));
    return (await this.alignment?.ofAll(indices, pairs)) ?? pairs;
  }

  /** Names the content, cheaply: see IndexedDataset. */
  get hash(): string {
    return sha256(this.source.dataset.hash + this.target.dataset.hash + (this.alignment?.hash ?? ''));
  }

  close(): void {
    this.source.dataset.close();
    this.target.dataset.close();
    this.alignment?.close();
  }
}

interface Side {
  prefix: string;
  dataset: IndexedDataset;
  vocabularySize: number;
}

function openSide(destdir: string, stem: string, language: string): Side {
  const prefix = path.join(destdir, `${stem}.${language}`);
  const { size } = Dictionary.load(path.join(destdir, `dict.${language}.txt`));
  return { prefix, dataset: IndexedDataset.open(prefix), vocabularySize: size };
}

/** `train.de-en` or `train.en-de`, whichever there is. */
function findStem(destdir: string, split: string, source: string, target: string): string | undefined {
  return [`${split}.${source}-${target}`, `${split}.${target}-${source}`].find((stem) =>
    existsSync(indexFile(path.join(destdir, `${stem}.${source}`))),
  );
}

function checkLengths(source: Side, target: Side): void {
  const [found, other] = [source.dataset.length, target.dataset.length];
  if (found !== other) {
    throw new UserError({
      problem: `expected as many sentences on both sides, found ${found} in ${indexFile(source.prefix)} and ${other} in ${indexFile(target.prefix)}`,
      where: path.dirname(source.prefix),
      hint: 'The two belong to different datasets: make the dataset again.',
    });
  }
}

function checkSentence({ prefix, vocabularySize }: Side, i: number, ids: Int32Array): Int32Array {
  for (const id of ids) {
    if (id < 0 || id >= vocabularySize) {
      throw unfit(prefix, i, `ids below ${vocabularySize}, the size of the dictionary`, `${id}`);
    }
  }
  if (ids.at(-1) !== EOS) throw unfit(prefix, i, `</s> (id ${EOS}) at the end`, `${ids.at(-1) ?? 'no ids'}`);
  return ids;
}

function unfit(prefix: string, i: number, expected: string, found: string): UserError {
  return new UserError({
    problem: `sentence ${i}: expected ${expected}, found ${found}`,
    where: dataFile(prefix),
    hint: 'The dataset is damaged, or its dictionaries are of another one: make the dataset again.',
  });
}
