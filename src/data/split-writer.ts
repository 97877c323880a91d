import * as path from 'node:path';
import { DatasetWriter } from './dataset-writer.js';
import { countDrops, type Dropped } from './filters.js';
import type { SplitSummary } from './manifest.js';
import type { EncodedPairs } from './pair-encoder.js';
import type { PairSet } from './pair-set.js';
import { SideCounter } from './side-summary.js';
import type { SymbolTable } from './symbol-table.js';

/** One side of a split on its way to the disk. */
interface Side {
  readonly language: string;
  readonly table: SymbolTable;
  readonly writer: DatasetWriter;
  readonly counter: SideCounter;
}

/** Writes the pairs of a split in the order in which they come, and counts them. */
export class SplitWriter {
  readonly dropped: Dropped = countDrops();
  /** Pairs that came, those dropped included. */
  pairs = 0;
  private readonly sides: readonly Side[];
  private readonly seen: PairSet | undefined;
  private readonly counted: boolean;
  private readonly links: DatasetWriter | undefined;
  private linked = 0;

  /**
   * @param stem of the files; the language and the ending follow
   * @param counted whether the symbols of the pairs count in the dictionary
   * @param seen pairs that are dropped when they come again
   * @param links what the names of the files of alignments begin with, where pairs have them
   */
  constructor(
    stem: string,
    sides: readonly { language: string; table: SymbolTable }[],
    { counted, seen, links }: { counted: boolean; seen?: PairSet; links?: string },
  ) {
    this.sides = sides.map(({ language, table }) => ({
      language,
      table,
      writer: new DatasetWriter(`${stem}.${language}`, table.size),
      counter: new SideCounter(),
    }));
    this.counted = counted;
    this.seen = seen;
    if (links !== undefined) this.links = new DatasetWriter(links, Infinity); // as wide as fairseq has them
  }

  /** Pairs that were written. */
  get kept(): number {
    return this.sides[0].writer.length;
  }

  add({ pairs, dropped, sides, links, hashes }: EncodedPairs): void {
    this.pairs += pairs;
    for (const [reason, count] of Object.entries(dropped)) this.dropped[reason as keyof Dropped] += count;
    const count = sides[0].ends.length;
    for (let i = 0; i < count; i++) {
      if (this.seen?.add(hashes[2 * i], hashes[2 * i + 1]) === false) {
        this.dropped.duplicate++;
        continue;
      }
      for (let side = 0; side < 2; side++) this.write(this.sides[side], sides[side], i);
      if (links !== undefined) this.link(links, i);
    }
  }

  /** Puts the files in their place. @throws UserError for what a user can mend (no space, …) */
  finish(): void {
    for (const writer of this.writers) writer.finish();
  }

  /** Removes what is not finished. */
  discard(): void {
    for (const writer of this.writers) writer.discard();
  }

  /** The names of the files, without their folder. */
  get files(): string[] {
    return this.writers.flatMap((writer) => writer.files.map((file) => path.basename(file)));
  }

  /** @param filtered whether pairs may have been dropped */
  summary(filtered: boolean): SplitSummary {
    return {
      pairs: this.pairs,
      kept: this.kept,
      dropped: filtered ? this.dropped : {},
      ...(this.links !== undefined && { links: this.linked }),
      sides: Object.fromEntries(this.sides.map(({ language, counter }) => [language, counter.summary()])),
    };
  }

  private get writers(): DatasetWriter[] {
    return [...this.sides.map(({ writer }) => writer), ...(this.links === undefined ? [] : [this.links])];
  }

  private link({ ids, ends }: NonNullable<EncodedPairs['links']>, i: number): void {
    const from = i === 0 ? 0 : ends[i - 1];
    this.links!.add(ids, from, ends[i]);
    this.linked += (ends[i] - from) / 2;
  }

  private write(
    { table, writer, counter }: Side,
    { ids, ends }: EncodedPairs['sides'][number],
    i: number,
  ): void {
    const from = i === 0 ? 0 : ends[i - 1];
    if (this.counted) table.count(ids, from, ends[i] - 1);
    counter.add(ids, from, ends[i] - 1);
    writer.add(ids, from, ends[i]);
  }
}
