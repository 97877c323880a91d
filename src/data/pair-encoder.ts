import { IdList } from '../common/id-list.js';
import { bytesCleaner, type CleanOptions } from './clean.js';
import { EOS } from './dictionary.js';
import { countDrops, type Dropped, type FilterOptions, reasonToDrop } from './filters.js';
import { checkLines, type LineBytes, textOf } from './line-bytes.js';
import { checkPairs, type PairBytes } from './pair-bytes.js';
import { hashPair } from './pair-set.js';
import { parsePharaoh } from './pharaoh.js';
import { appendPieceLinks, type LinkedSide, linkedSide } from './piece-links.js';
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
  /** Places in a source and a target sentence in turn, from 0, of tokens that go together; where the text is aligned. */
  readonly links?: EncodedSide;
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
  /** Whether blocks have the alignments of their pairs behind the text. */
  readonly linked?: boolean;
}

/** Makes ids of text: what becomes of a pair depends on nothing else than the pair. */
export class PairEncoder {
  private readonly sides: readonly [EncoderSide, EncoderSide];
  private readonly filter: FilterOptions | undefined;
  private readonly tag: number | undefined;
  private readonly linked: boolean;
  private readonly clean: (line: Buffer) => Buffer;

  constructor(
    sides: readonly [EncoderSide, EncoderSide],
    { clean, filter, tag, linked = false }: EncoderOptions,
  ) {
    this.sides = sides;
    this.filter = filter;
    this.tag = tag;
    this.linked = linked;
    this.clean = bytesCleaner(clean);
  }

  /** @throws UserError that names file and line for what is wrong with the text (see checkPairs) or its alignments */
  encode(block: PairBytes): EncodedPairs {
    const { filter } = this;
    const spans = checkPairs(this.linked ? block.slice(0, -1) : block);
    const alignments = this.linked ? new Alignments(block[block.length - 1]) : undefined;
    const pairs = spans[0].starts.length;
    const dropped = countDrops();
    const lists = [new Sentences(), new Sentences()];
    const links = new Sentences();
    const hashes: number[] = [];
    for (let i = 0; i < pairs; i++) {
      const lines = spans.map(({ bytes, starts, ends }) => this.clean(bytes.subarray(starts[i], ends[i])));
      const [source, target] = lists.map(({ ids }, side) => this.add(side, lines[side], ids));
      if (alignments !== undefined)
        alignments.append(i, [source.linked!, target.linked!], this.tag !== undefined, links.ids);
      const reason = filter && reasonToDrop(filter, source.count, target.count);
      if (reason !== undefined) {
        dropped[reason]++;
        for (const list of [...lists, links]) list.drop();
        continue;
      }
      if (filter?.deduplicate) hashes.push(...hashPair(lines[0], lines[1]));
      for (const list of lists) list.ids.push(EOS);
      for (const list of [...lists, links]) list.end();
    }
    return {
      pairs,
      dropped,
      sides: [lists[0].side(), lists[1].side()],
      ...(this.linked && { links: links.side() }),
      hashes: Uint32Array.from(hashes),
    };
  }

  /** Adds the ids of a line. @returns how many they are, but for a tag, and what its links are found by */
  private add(side: number, line: Buffer, list: IdList): { count: number; linked?: LinkedSide } {
    const { model, numbering } = this.sides[side];
    const before = list.length;
    if (side === 0 && this.tag !== undefined) list.push(this.tag);
    const first = list.length;
    model.appendIds(line, list);
    const linked = this.linked ? linkedSide(line.toString(), list.view(first), model) : undefined;
    numberPieces(list, first, numbering, () => model.encode(line.toString()));
    if (list.length === first) list.cut(before); // a blank line stays blank
    return { count: list.length - (list.length === before ? before : first), linked };
  }
}

/** Ids of one sentence after another. */
class Sentences {
  readonly ids = new IdList();
  private readonly ends = new IdList();

  /** Makes a sentence of the ids since the one before. */
  end(): void {
    this.ends.push(this.ids.length);
  }

  /** Forgets the ids since the last sentence. */
  drop(): void {
    this.ids.cut(this.ends.last ?? 0);
  }

  side(): EncodedSide {
    return { ids: this.ids.view().slice(), ends: this.ends.view().slice() };
  }
}

/** The lines of a file of alignments. */
class Alignments {
  private readonly lines: readonly string[];
  private readonly whereOf: (i: number) => string;

  /** @throws UserError for what is no text */
  constructor(block: LineBytes) {
    this.lines = textOf(checkLines(block));
    this.whereOf = (i) => `${block.name}:${block.line + i}`;
  }

  /** Adds what a line says of the pieces of a pair. @throws UserError as parsePharaoh */
  append(i: number, sides: readonly [LinkedSide, LinkedSide], tagged: boolean, list: IdList): void {
    const counts = sides.map(({ words }) => words.length) as [number, number];
    appendPieceLinks(parsePharaoh(this.lines[i], counts, this.whereOf(i)), sides, tagged, list);
  }
}
