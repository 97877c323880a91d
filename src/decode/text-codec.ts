import { UserError } from '../common/errors.js';
import { type CleanOptions, lineCleaner } from '../data/clean.js';
import { EOS, UNK } from '../data/dictionary.js';
import { splitWords } from '../metrics/python-text.js';

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

/** Tokens parted by white space, as fairseq parts them, for models whose text was segmented by other programs. */
export const whiteSpaceSegmenter: Segmenter = {
  encode: splitWords,
  decode: (pieces) => pieces.join(' '),
};

/** One language. */
export interface CodecSide {
  segmenter: Segmenter;
  dictionary: Symbols;
}

/** Begins the piece that begins a word. */
const WORD_MARK = '▁';
const MOST_SPELLINGS = 1000;
/** Longer than any piece of a tokenizer is. */
const LONGEST_PIECE = 64;

/** Of a dictionary, but for special symbols and the bytes of byte fallback. */
const TAG = /^<(?!0x[0-9A-F]{2}>)[^<>]+>$/;
const MOST_SHOWN = 12;

/** Half of a surrogate pair: no text has it by itself, so no translation does. */
const UNMATCHED = '\ud800';

/** What translates lines, as far as text is concerned. */
export type LineCodec = Pick<
  TextCodec,
  | 'tags'
  | 'encode'
  | 'fit'
  | 'encodeTarget'
  | 'targetIds'
  | 'decode'
  | 'sourceTokens'
  | 'targetTokens'
  | 'spellings'
  | 'phrase'
  | 'sourcePieces'
  | 'sourceText'
>;

/**
 * The way from a line of raw text to source ids, and from target ids back to a line: the one way of everything that
 * reads text after training. It comes to the ids that `preprocess` gives the same line.
 */
export class TextCodec {
  private readonly source: CodecSide;
  private readonly target: CodecSide;
  private readonly clean: (line: string) => string;
  private readonly tag: string | null;
  private targetSymbols: ReadonlyMap<string, number> | undefined;

  /**
   * @param clean what the text of the model was cleaned by
   * @param tag a token that is put before each source sentence
   * @throws UserError for a tag that the source dictionary lacks
   */
  constructor(source: CodecSide, target: CodecSide, clean: CleanOptions, tag: string | null = null) {
    this.source = source;
    this.target = target;
    this.clean = lineCleaner(clean);
    this.tag = tag;
    if (tag !== null) this.tagId(tag);
  }

  /**
   * Source ids of a line, with the tag before them and `</s>` at the end; a line without any token gives none at all.
   *
   * @param tag in place of that of all lines
   * @param where the line is, to name in an error
   * @throws UserError for a tag that the source dictionary lacks
   */
  encode(line: string, tag = this.tag, where?: string): Int32Array {
    const tagId = tag === null ? undefined : this.tagId(tag, where);
    const ids = this.idsOf(this.source, line);
    return tagId === undefined || ids.length === 0 ? ids : Int32Array.from([tagId, ...ids]);
  }

  /** Source symbols in angle brackets, which are tags by all appearances. */
  get tags(): string[] {
    const { dictionary } = this.source;
    return Array.from({ length: dictionary.size }, (_, id) => dictionary.symbolOf(id)).filter(
      (symbol) => TAG.test(symbol) && dictionary.indexOf(symbol) !== UNK,
    );
  }

  private tagId(tag: string, where?: string): number {
    const id = this.source.dictionary.indexOf(tag);
    if (id !== UNK) return id;
    const known = this.tags.slice(0, MOST_SHOWN);
    throw new UserError({
      problem: `expected a tag that is a piece of the source dictionary, found '${tag}'`,
      where,
      hint:
        known.length > 0
          ? `It has ${known.join(', ')}.`
          : 'Tags are made in training: tag of a corpus of data.train, or data.tokenizer.user-defined-symbols.',
    });
  }

  /** Source ids cut to what a model can take, `</s>` at the end. */
  fit(maxPositions: number, ids: Int32Array): Int32Array {
    return fitTo(maxPositions, ids);
  }

  /** As encode, of a translation. */
  encodeTarget(line: string): Int32Array {
    return this.idsOf(this.target, line);
  }

  /** Target ids of tokens as they stand, `</s>` put at the end where there are any; a token that the dictionary lacks is given to `unknown`. */
  targetIds(tokens: readonly string[], unknown: (token: string) => never): Int32Array {
    const { dictionary } = this.target;
    // A search may choose what no text holds: special symbols, and what fills a dictionary up.
    this.targetSymbols ??= new Map(
      Array.from({ length: dictionary.size }, (_, id) => [dictionary.symbolOf(id), id]),
    );
    const ids = tokens.map((token) => this.targetSymbols?.get(token) ?? unknown(token));
    return Int32Array.from(ids.length === 0 ? [] : [...ids, EOS]);
  }

  /**
   * One line of text from target ids that end in `</s>`: a line break, which byte pieces can spell, is a space.
   *
   * @param unknown what each `<unk>` is written as, in their order; by default as the tokenizer has it
   */
  decode(ids: ArrayLike<number>, unknown?: readonly string[]): string {
    if (unknown === undefined) return lineOf(this.target, this.targetTokens(ids));
    const [first, ...others] = this.decodeReference(ids).split(UNMATCHED);
    return others.reduce((text, part, i) => text + unknown[i] + part, first);
  }

  /** As decode, of source ids. */
  decodeSource(ids: ArrayLike<number>): string {
    return lineOf(this.source, this.sourceTokens(ids));
  }

  /**
   * As decode, of a reference that translations are compared with: a word with `<unk>` in it is like nothing that they
   * can have, their own `<unk>` least of all. It holds half of a surrogate pair, U+D800.
   */
  decodeReference(ids: ArrayLike<number>): string {
    const tokens = this.targetTokens(ids).map((token, i) => (ids[i] === UNK ? UNMATCHED : token));
    return lineOf(this.target, tokens);
  }

  private idsOf({ segmenter, dictionary }: CodecSide, line: string): Int32Array {
    const pieces = segmenter.encode(this.clean(line));
    if (pieces.length === 0) return new Int32Array(0);
    return Int32Array.from([...pieces.map((piece) => dictionary.indexOf(piece)), EOS]);
  }

  sourceTokens(ids: ArrayLike<number>): string[] {
    return Array.from(ids, (id) => this.source.dictionary.symbolOf(id));
  }

  /** The pieces of a line as they are spelt, those too that the dictionary lacks. */
  sourcePieces(line: string): string[] {
    return this.source.segmenter.encode(this.clean(line));
  }

  /** The text of source pieces. */
  sourceText(pieces: readonly string[]): string {
    return this.source.segmenter.decode(pieces);
  }

  /** A phrase of the target, from ids without `</s>`. */
  phrase(ids: readonly number[]): string {
    return this.decode([...ids, EOS]);
  }

  /**
   * The ways to write a phrase in target ids, the fewest pieces first and at most 1000: what must not be there must not be
   * there in other pieces, either.
   */
  spellings(phrase: string): number[][] {
    const { segmenter, dictionary } = this.target;
    const pieces = segmenter.encode(this.clean(phrase));
    if (pieces.length === 0) return [];
    const own = pieces.map((piece) => dictionary.indexOf(piece));
    // Words that are parted by white space are written in one way.
    const all = pieces[0].startsWith(WORD_MARK) ? partings(pieces.join(''), dictionary) : [];
    return all.length > 0 ? all : [own];
  }

  targetTokens(ids: ArrayLike<number>): string[] {
    return Array.from(ids, (id) => this.target.dictionary.symbolOf(id));
  }
}

/** The ways to part a text into symbols that there are, the fewest symbols first. */
function partings(text: string, dictionary: Symbols): number[][] {
  let begun: { ids: number[]; end: number }[] = [{ ids: [], end: 0 }];
  const whole: number[][] = [];
  while (begun.length > 0 && whole.length < MOST_SPELLINGS) {
    const longer = begun.flatMap(({ ids, end }) =>
      Array.from({ length: Math.min(LONGEST_PIECE, text.length - end) }, (_, i) => end + i + 1).flatMap(
        (next) => {
          const id = dictionary.indexOf(text.slice(end, next));
          return id === UNK ? [] : [{ ids: [...ids, id], end: next }];
        },
      ),
    );
    whole.push(...longer.filter(({ end }) => end === text.length).map(({ ids }) => ids));
    // The farthest first, where there are too many to follow all.
    begun = longer
      .filter(({ end }) => end < text.length)
      .sort((a, b) => b.end - a.end)
      .slice(0, MOST_SPELLINGS);
  }
  return whole.slice(0, MOST_SPELLINGS);
}

/** @param tokens the last of them is `</s>` */
function lineOf({ segmenter }: CodecSide, tokens: readonly string[]): string {
  return segmenter.decode(tokens.slice(0, -1)).replace(/[\r\n]+/g, ' ');
}

/** Source ids cut to what a model can take, `</s>` at the end. */
export function fitTo(maxPositions: number, ids: Int32Array): Int32Array {
  if (ids.length <= maxPositions) return ids;
  const cut = ids.slice(0, maxPositions);
  cut[maxPositions - 1] = EOS;
  return cut;
}
