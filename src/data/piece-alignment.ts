import { existsSync } from 'node:fs';
import * as path from 'node:path';
import { UserError } from '../common/errors.js';
import { IndexedDataset } from './indexed-dataset.js';
import { dataFile, indexFile, linksStem } from './indexed-format.js';

/** Ids of a pair, of which links tell. */
interface Sentences {
  readonly source: Int32Array;
  readonly target: Int32Array;
}

/**
 * The alignments of a split as fairseq keeps them, `SPLIT.align.SRC-TGT.{bin,idx}`: for each pair source and target place of
 * tokens that go together, in turn, from 0.
 */
export class PieceAlignment {
  private readonly prefix: string;
  private readonly dataset: IndexedDataset;
  private readonly isSwapped: boolean;

  private constructor(prefix: string, dataset: IndexedDataset, isSwapped: boolean) {
    this.prefix = prefix;
    this.dataset = dataset;
    this.isSwapped = isSwapped;
  }

  static exists(destdir: string, split: string, pair: string): boolean {
    return existsSync(indexFile(path.join(destdir, linksStem(split, pair))));
  }

  /**
   * @param pair `de-en`, as the files of the split have it
   * @param isSwapped whether the second of its languages is the source now
   * @param pairs of the split
   * @throws UserError for files that are missing, damaged, or of another length
   */
  static open(
    destdir: string,
    split: string,
    pair: string,
    isSwapped: boolean,
    pairs: number,
  ): PieceAlignment {
    const prefix = path.join(destdir, linksStem(split, pair));
    if (!PieceAlignment.exists(destdir, split, pair)) {
      throw new UserError({
        problem: `train.guided-alignment needs the alignments of the ${split} split, found none`,
        where: indexFile(prefix),
        hint: 'Set data.align-suffix, to align for PREFIX.align beside the training text, and make the dataset with it; a data-bin of fairseq has them by its --align-suffix.',
      });
    }
    const dataset = IndexedDataset.open(prefix);
    if (dataset.length === pairs) return new PieceAlignment(prefix, dataset, isSwapped);
    dataset.close();
    throw new UserError({
      problem: `expected the alignments of ${pairs} pairs, found ${dataset.length}`,
      where: indexFile(prefix),
      hint: 'They belong to another dataset: make it again.',
    });
  }

  /** Names the content, cheaply: see IndexedDataset. */
  get hash(): string {
    return this.dataset.hash;
  }

  /** The links of a pair. @throws UserError for one of a token that is not there */
  of(i: number, pair: Sentences): Int32Array {
    return this.checked(i, this.dataset.get(i), pair);
  }

  /** Pairs with their links, read while this thread does something else. @throws as of */
  async ofAll<P extends Sentences>(
    indices: Int32Array,
    pairs: readonly P[],
  ): Promise<(P & { links: Int32Array })[]> {
    const found = await this.dataset.getAll(indices);
    return pairs.map((pair, i) => ({ ...pair, links: this.checked(indices[i], found[i], pair) }));
  }

  close(): void {
    this.dataset.close();
  }

  private checked(i: number, links: Int32Array, { source, target }: Sentences): Int32Array {
    if (this.isSwapped) swapPairs(links);
    const lengths = [source.length, target.length];
    const fits = links.every((place, at) => place >= 0 && place < lengths[at % 2]);
    if (fits && links.length % 2 === 0) return links;
    throw new UserError({
      problem: `pair ${i}: expected links of its ${lengths[0]} source and ${lengths[1]} target tokens, found ${[...links.subarray(0, 8)].join(' ')}${links.length > 8 ? ' …' : ''}`,
      where: dataFile(this.prefix),
      hint: 'The alignments are damaged, or of another dataset: make it again.',
    });
  }
}

/** Puts the second of each two first. */
function swapPairs(links: Int32Array): void {
  for (let i = 0; i + 1 < links.length; i += 2) [links[i], links[i + 1]] = [links[i + 1], links[i]];
}
