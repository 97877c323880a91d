import { UserError } from '../common/errors.js';
import { readFileBounded } from '../common/file-input.js';
import type { FileSum } from '../common/file-sum.js';
import { IdList } from '../common/id-list.js';
import { BpeSegmenter, type SkipMerge } from './bpe-segmenter.js';
import { Decoder } from './decoder.js';
import { type ModelFile, parseModelFile } from './model-file.js';
import { markUnused } from './model-writer.js';
import { Normalizer, SPACE_SYMBOL } from './normalizer.js';
import type { Piece } from './piece.js';
import { DamagedModelError } from './protobuf.js';
import { UnigramSegmenter } from './unigram-segmenter.js';
import { bytePiece, Vocabulary } from './vocabulary.js';
import { HASH_PRIME, HASH_START, WordCache } from './word-cache.js';

const MAX_BYTES = 2 ** 27;
const SPACE = 0x20;
const SPACE_SYMBOL_BYTES = Buffer.from(SPACE_SYMBOL);

/** Pieces of a text and their ids; the piece of an unknown id is what the text has there. */
export interface Segmentation {
  readonly pieces: string[];
  readonly ids: number[];
}

/** A SentencePiece model, BPE or unigram: text to pieces and back, as SentencePiece 0.1.97 does it. */
export class Tokenizer {
  readonly kind: 'bpe' | 'unigram';
  private readonly bytes: Buffer;
  private readonly vocabulary: Vocabulary;
  private readonly normalizer: Normalizer;
  private readonly decoder: Decoder;
  private readonly bpe: BpeSegmenter | undefined;
  private readonly segment: (normalized: string) => string[];
  /** Of raw words, where a text may be segmented word by word. */
  private readonly words: WordCache | undefined;

  private constructor(bytes: Buffer, model: ModelFile) {
    this.bytes = bytes;
    this.kind = model.kind;
    const vocabulary = new Vocabulary(model);
    this.vocabulary = vocabulary;
    this.normalizer = new Normalizer(model.normalizer, model.treatWhitespaceAsSuffix, vocabulary.userDefined);
    this.decoder = new Decoder(model, vocabulary);
    if (model.kind === 'bpe') {
      const bpe = new BpeSegmenter(vocabulary);
      this.bpe = bpe;
      this.segment = (normalized) => bpe.segment(normalized);
      if (this.normalizer.wordwise && vocabulary.wordwise) this.words = new WordCache();
    } else {
      const unigram = new UnigramSegmenter(vocabulary);
      this.segment = (normalized) => unigram.segment(normalized);
    }
  }

  /** Reads a .model. @throws UserError that names the file where it is missing, damaged or of another kind */
  static load(file: string, expected?: FileSum): Tokenizer {
    return Tokenizer.parse(readFileBounded(file, 'a SentencePiece model', MAX_BYTES, expected), file);
  }

  /**
   * Reads the bytes of a .model.
   *
   * @param where to name in an error
   * @throws UserError where they are damaged or a model of another kind
   */
  static parse(bytes: Uint8Array, where?: string): Tokenizer {
    try {
      const own = Buffer.from(bytes);
      return new Tokenizer(own, parseModelFile(own));
    } catch (error) {
      if (!(error instanceof DamagedModelError)) throw error;
      throw new UserError(
        {
          problem: `expected a SentencePiece model: ${error.message}`,
          where,
          hint: 'The file is damaged or is no .model; make it again with spm_train or `admin-nmt preprocess`.',
        },
        { cause: error },
      );
    }
  }

  /** All pieces by id. */
  get pieces(): readonly Piece[] {
    return this.vocabulary.pieces;
  }

  /** The pieces of a text. A run of characters that the model does not know is one piece. */
  encode(text: string): string[] {
    return this.encodeBoth(text).pieces;
  }

  /** Both at once. */
  encodeBoth(text: string): Segmentation {
    const { words } = this;
    if (words !== undefined) {
      const ids = this.encodeIds(text);
      if (!ids.includes(this.vocabulary.unknownId)) {
        return { pieces: ids.map((id) => this.pieces[id].piece), ids };
      }
    }
    return this.segmentWhole(text);
  }

  /** The ids of the pieces of a text. */
  encodeIds(text: string): number[] {
    const ids = new IdList();
    this.appendIds(Buffer.from(text), ids);
    return Array.from(ids.view());
  }

  /** Adds the ids of the pieces of a text to others. @param utf8 the text */
  appendIds(utf8: Uint8Array, ids: IdList): void {
    const text = Buffer.from(utf8.buffer, utf8.byteOffset, utf8.byteLength);
    const { words, vocabulary } = this;
    if (words === undefined || text.includes(SPACE_SYMBOL_BYTES)) {
      ids.append(this.segmentWhole(text.toString()).ids);
      return;
    }
    const joining = vocabulary.byteIds === undefined ? vocabulary.unknownId : undefined;
    const first = ids.length;
    for (let start = 0; start < text.length; start++) {
      let [end, hash] = [start, HASH_START];
      for (; end < text.length && text[end] !== SPACE; end++) hash = Math.imul(hash ^ text[end], HASH_PRIME);
      if (end === start) continue;
      words.get(text, start, end, hash, this.encodeWord);
      // What is unknown on both sides of the start of a word is one piece.
      const joined = joining !== undefined && words.ids[words.from] === joining && ids.last === joining;
      ids.append(words.ids, words.from + (joined && ids.length > first ? 1 : 0), words.to);
      start = end;
    }
  }

  /**
   * The pieces of a text with BPE-dropout (Provilkov et al. 2020, arXiv:1910.13267): each merge is passed over with
   * probability `dropout`. At 0 these are the pieces of `encode`, at 1 characters.
   *
   * @param random gives numbers in [0, 1)
   * @throws UserError for a unigram model
   */
  encodeWithDropout(text: string, dropout: number, random: () => number): string[] {
    return this.sampleBoth(text, dropout, random).pieces;
  }

  /** As `encodeWithDropout`, the ids. */
  encodeIdsWithDropout(text: string, dropout: number, random: () => number): number[] {
    return this.sampleBoth(text, dropout, random).ids;
  }

  /** Text of pieces. */
  decode(pieces: Iterable<string>): string {
    return this.decoder.decode(pieces);
  }

  /** Text of ids. @throws RangeError for an id that there is not */
  decodeIds(ids: Iterable<number>): string {
    return this.decoder.decode(
      Array.from(ids, (id) => {
        const piece = this.pieces[id];
        if (piece === undefined)
          throw new RangeError(`expected ids below ${this.pieces.length}, found ${id}`);
        return piece.piece;
      }),
    );
  }

  /** The bytes of the .model. */
  serialize(): Uint8Array {
    return Uint8Array.from(this.bytes);
  }

  /**
   * The same model, but text is given none of some pieces: they are unused ones, which fall apart into those that they were merged of
   * (`--vocabulary` of spm_encode). Characters, and pieces that are no normal ones, stay.
   *
   * @param isKept whether text may have a normal piece
   */
  restricted(isKept: (piece: string, id: number) => boolean): Tokenizer {
    const unused = new Set<number>();
    this.pieces.forEach(({ piece, type }, id) => {
      if (type === 'normal' && [...piece].length > 1 && !isKept(piece, id)) unused.add(id);
    });
    return Tokenizer.parse(markUnused(this.bytes, unused));
  }

  private segmentWhole(text: string): Segmentation {
    return this.identify(this.segment(this.normalizer.normalize(text)));
  }

  private readonly encodeWord = (word: string): Int32Array => {
    const normalized = this.normalizer.normalize(word);
    const ids = this.bpe?.ids(normalized) ?? this.identify(this.segment(normalized)).ids;
    return Int32Array.from(ids);
  };

  private sampleBoth(text: string, dropout: number, random: () => number): Segmentation {
    if (this.bpe === undefined) {
      throw new UserError({
        problem: 'expected a BPE model for BPE-dropout, found a unigram model',
        hint: 'Use a BPE model, or set the dropout to 0.',
      });
    }
    const skip: SkipMerge = () => dropout > 0 && (dropout >= 1 || random() < dropout);
    return this.identify(this.bpe.segment(this.normalizer.normalize(text), skip));
  }

  /**
   * Gives pieces their ids: unknown ones become bytes where the model has them, and one piece where they stand side
   * by side otherwise (sentencepiece_processor.cc, PopulateSentencePieceText).
   */
  private identify(pieces: readonly string[]): Segmentation {
    const { byteIds, unknownId } = this.vocabulary;
    const known: Segmentation = { pieces: [], ids: [] };
    for (const piece of pieces) {
      const id = this.vocabulary.idOf(piece);
      if (id !== unknownId) {
        known.ids.push(id);
        known.pieces.push(this.pieces[id].piece);
      } else if (byteIds === undefined) this.append(known, { pieces: [piece], ids: [id] });
      else {
        for (const byte of Buffer.from(piece)) {
          known.ids.push(byteIds[byte]);
          known.pieces.push(bytePiece(byte));
        }
      }
    }
    return known;
  }

  private append(whole: Segmentation, { pieces, ids }: Segmentation): void {
    const { unknownId, byteIds } = this.vocabulary;
    let start = 0;
    if (byteIds === undefined && ids[0] === unknownId && whole.ids.at(-1) === unknownId) {
      whole.pieces[whole.pieces.length - 1] += pieces[0];
      start = 1;
    }
    for (let i = start; i < ids.length; i++) {
      whole.ids.push(ids[i]);
      whole.pieces.push(pieces[i]);
    }
  }
}
