import { IdList } from '../common/id-list.js';
import { bytesCleaner, type CleanOptions } from './clean.js';
import { EOS } from './dictionary.js';
import { countDrops, type Dropped, type FilterOptions, reasonToDrop } from './filters.js';
import { checkPairs, type PairBytes } from './pair-bytes.js';
import { hashPair } from './pair-set.js';
import { type Numbering, numberPieces, type PieceModel } from './symbol-table.js';

/** The ids of sentences, one after the other: `</s>` ends each. */
export interface EncodedSide {
  readonly ids: Int32Array;
  /** Where each sentence ends in them. */
  readonly ends: Int32Array;
}

/** Pairs as a dataset holds them; but for duplicates, those that a filter drops are gone. Plain data. */
export interface EncodedPairs {
  /** Pairs that were read. */
  readonly pairs: number;
  readonly dropped: Dropped;
  /** Source and target. */
  readonly sides: readonly [EncodedSide, EncodedSide];
  /** Two words of a hash of the text of each pair; none where no duplicates are to be found. */
  readonly hashes: Uint32Array;
}

/** One language, for encoding. */
export interface EncoderSide {
  readonly model: PieceModel;
  readonly numbering: Numbering;
}

export interface EncoderOptions {
  readonly clean: CleanOptions;
  /** Without one all pairs are kept. */
  readonly filter?: FilterOptions;
  /** Number of a token that is put before each source sentence that is not blank; lengths do not count it. */
  readonly tag?: number;
}

/** Makes ids of text: what becomes of a pair depends on nothing else than the pair. */
export class PairEncoder {
  private readonly sides: readonly [EncoderSide, EncoderSide];
  private readonly filter: FilterOptions | undefined;
  private readonly tag: number | undefined;
  private readonly clean: (line: Buffer) => Buffer;

  constructor(sides: readonly [EncoderSide, EncoderSide], { clean, filter, tag }: EncoderOptions) {
    this.sides = sides;
    this.filter = filter;
    this.tag = tag;
    this.clean = bytesCleaner(clean);
  }

  /** @throws UserError that names file and line for what is wrong with the text (see checkPairs) */
  encode(block: PairBytes): EncodedPairs {
    const { filter } = this;
    const spans = checkPairs(block);
    const pairs = spans[0].starts.length;
    const dropped = countDrops();
    const ids = [new IdList(), new IdList()];
    const ends = [new IdList(), new IdList()];
    const hashes: number[] = [];
    for (let i = 0; i < pairs; i++) {
      const lines = spans.map(({ bytes, starts, ends }) => this.clean(bytes.subarray(starts[i], ends[i])));
      const [source, target] = ids.map((list, side) => this.add(side, lines[side], list));
      const reason = filter && reasonToDrop(filter, source, target);
      if (reason !== undefined) {
        dropped[reason]++;
        for (const [side, list] of ids.entries()) list.cut(ends[side].last ?? 0);
        continue;
      }
      if (filter?.deduplicate) hashes.push(...hashPair(lines[0], lines[1]));
      for (const [side, list] of ids.entries()) {
        list.push(EOS);
        ends[side].push(list.length);
      }
    }
    const side = (at: number): EncodedSide => ({
      ids: ids[at].view().slice(),
      ends: ends[at].view().slice(),
    });
    return { pairs, dropped, sides: [side(0), side(1)], hashes: Uint32Array.from(hashes) };
  }

  /** Adds the ids of a line. @returns how many they are */
  private add(side: number, line: Buffer, list: IdList): number {
    const { model, numbering } = this.sides[side];
    const before = list.length;
    if (side === 0 && this.tag !== undefined) list.push(this.tag);
    const first = list.length;
    model.appendIds(line, list);
    numberPieces(list, first, numbering, () => model.encode(line.toString()));
    if (list.length === first) list.cut(before); // a blank line stays blank
    return list.length - first;
  }
}
