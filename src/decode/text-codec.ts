import { EOS } from '../data/dictionary.js';

/** A tokenizer, as far as translation needs one. */
export interface Segmenter {
  /** The pieces of a raw line. */
  encode(text: string): string[];
  /** Raw text again, from pieces. */
  decode(pieces: readonly string[]): string;
}

/** A dictionary, as far as translation needs one. */
export interface Symbols {
  readonly size: number;
  indexOf(symbol: string): number;
  symbolOf(id: number): string;
}

/** Tokens parted by white space, for models whose text was segmented by other programs. */
export const whiteSpaceSegmenter: Segmenter = {
  encode: (text) => text.split(/\s+/u).filter((token) => token !== ''),
  decode: (pieces) => pieces.join(' '),
};

/** The way from a line of raw text to source ids, and from target ids back to a line. */
export class TextCodec {
  private readonly source: { segmenter: Segmenter; dictionary: Symbols };
  private readonly target: { segmenter: Segmenter; dictionary: Symbols };

  constructor(
    source: { segmenter: Segmenter; dictionary: Symbols },
    target: { segmenter: Segmenter; dictionary: Symbols },
  ) {
    this.source = source;
    this.target = target;
  }

  /** Source ids of a line, with `</s>` at the end; a line without any token gives none at all. */
  encode(line: string): Int32Array {
    const { segmenter, dictionary } = this.source;
    const pieces = segmenter.encode(line);
    if (pieces.length === 0) return new Int32Array(0);
    const ids = new Int32Array(pieces.length + 1);
    pieces.forEach((piece, i) => {
      ids[i] = dictionary.indexOf(piece);
    });
    ids[pieces.length] = EOS;
    return ids;
  }

  /** One line of text from target ids that end in `</s>`: a line break, which byte pieces can spell, is a space. */
  decode(ids: readonly number[]): string {
    return this.target.segmenter.decode(this.targetTokens(ids).slice(0, -1)).replace(/[\r\n]+/g, ' ');
  }

  /** As decode, of source ids. */
  decodeSource(ids: readonly number[]): string {
    return this.source.segmenter.decode(this.sourceTokens(ids).slice(0, -1)).replace(/[\r\n]+/g, ' ');
  }

  sourceTokens(ids: ArrayLike<number>): string[] {
    return Array.from(ids, (id) => this.source.dictionary.symbolOf(id));
  }

  targetTokens(ids: ArrayLike<number>): string[] {
    return Array.from(ids, (id) => this.target.dictionary.symbolOf(id));
  }
}
