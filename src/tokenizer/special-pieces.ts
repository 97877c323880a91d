import { UserError } from '../common/errors.js';
import { SPACE_SYMBOL } from './normalizer.js';
import type { Piece, PieceType } from './piece.js';
import { bytePiece } from './vocabulary.js';

/** Pieces that are not learned. */
export interface SpecialOptions {
  /** Symbols of the user that stand for something of which no text speaks: text never has them. */
  readonly controlSymbols: readonly string[];
  /** Symbols of the user that are one piece wherever text has them. */
  readonly userDefinedSymbols: readonly string[];
  /** 256 pieces for bytes. */
  readonly byteFallback: boolean;
}

/** White space, control characters and halves of surrogate pairs. */
const NO_SYMBOL = new RegExp(`[\\s\\p{Cc}\\p{Cs}${SPACE_SYMBOL}]`, 'u');
/** What dictionaries and models begin with. */
const RESERVED = ['<unk>', '<s>', '</s>', '<pad>'];

/**
 * The first pieces of a model, in spm_train's order: what it begins with, control symbols, user-defined symbols, bytes.
 *
 * @throws UserError for a symbol that is there twice, is none, or has white space
 */
export function specialPieces({ controlSymbols, userDefinedSymbols, byteFallback }: SpecialOptions): Piece[] {
  const bytes = Array.from({ length: byteFallback ? 256 : 0 }, (_, byte) => bytePiece(byte));
  const taken = new Set([...RESERVED, ...bytes]);
  const own = (type: PieceType, symbols: readonly string[]): Piece[] =>
    symbols.map((piece) => {
      checkSymbol(piece, type, taken);
      taken.add(piece);
      return { piece, score: 0, type };
    });
  return [
    { piece: '<unk>', score: 0, type: 'unknown' },
    { piece: '<s>', score: 0, type: 'control' },
    { piece: '</s>', score: 0, type: 'control' },
    ...own('control', controlSymbols),
    ...own('user-defined', userDefinedSymbols),
    ...bytes.map((piece): Piece => ({ piece, score: 0, type: 'byte' })),
  ];
}

function checkSymbol(symbol: string, type: PieceType, taken: ReadonlySet<string>): void {
  const where = `data.tokenizer.${type}-symbols`;
  if (symbol === '' || NO_SYMBOL.test(symbol)) {
    throw new UserError({
      problem: `expected a control or user-defined symbol without white space and ${SPACE_SYMBOL}, found ${JSON.stringify(symbol)}`,
      where,
      hint: 'Such as <2fr>: one piece, which may stand anywhere in a word.',
    });
  }
  if (type === 'control' && [...symbol].length === 1) {
    throw new UserError({
      problem: `expected control symbols of two characters or more, which no text is segmented into, found '${symbol}'`,
      where,
      hint: 'A character that is to be one piece everywhere is a user-defined symbol.',
    });
  }
  if (!taken.has(symbol)) return;
  throw new UserError({
    problem: `expected control and user-defined symbols that are not there yet, found '${symbol}'`,
    where,
    hint: `Name each once, and none of ${RESERVED.join(', ')}; with byte fallback none of <0x00> to <0xFF>.`,
  });
}
