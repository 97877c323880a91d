import { readFileBounded } from '../../common/file-input.js';
import type { FileSum } from '../../common/file-sum.js';
import type { DataConfig } from '../../config/schema.js';
import type { PieceTrainer, StoredPieceModel } from '../../data/preprocess-options.js';
import { BpeTrainer, Tokenizer } from '../../tokenizer/index.js';
import type { CountedWords } from '../../tokenizer/word-counts.js';

/** Bytes of normalisation rules; those of nmt_nfkc have a twentieth of it. */
const MOST_RULES = 2 ** 27;

/** A SentencePiece model as the dataset maker sees it. */
function pieceModel(tokenizer: Tokenizer): StoredPieceModel {
  return {
    symbols: tokenizer.pieces.map(({ piece, type }) =>
      type === 'normal' || type === 'byte' || type === 'user-defined' ? piece : undefined,
    ),
    appendIds: (line, ids) => tokenizer.appendIds(line, ids),
    encode: (line) => tokenizer.encode(line),
    serialize: () => tokenizer.serialize(),
    restricted: (isKept) => pieceModel(tokenizer.restricted(isKept)),
  };
}

/** Reads a .model. @throws UserError where it is missing, damaged or not as it was written */
export function loadPieceModel(file: string, expected?: FileSum): StoredPieceModel {
  return pieceModel(Tokenizer.load(file, expected));
}

/** Reads the bytes of a .model. */
export function parsePieceModel(bytes: Uint8Array): StoredPieceModel {
  return pieceModel(Tokenizer.parse(bytes));
}

/** A trainer whose counts can be handed from one thread to another. */
export interface DividedTrainer extends PieceTrainer {
  /** @param see is told how many pieces were learnt, after each */
  train(see?: (pieces: number) => void): StoredPieceModel;
  /** Takes out what was counted so far. */
  take(): CountedWords;
  /** Adds what others have counted. */
  give(counted: CountedWords): void;
}

/** The file of data.tokenizer.normalization-rules. @throws UserError where it cannot be read */
export function readRules(file: string): Buffer {
  return readFileBounded(file, 'normalisation rules', MOST_RULES);
}

/** Trains a tokenizer as `data.tokenizer` says. @throws UserError for a vocabulary that the text cannot give */
export function startPieceTrainer(options: DataConfig['tokenizer']): DividedTrainer {
  const { vocabSize, characterCoverage, normalization, byteFallback, controlSymbols, userDefinedSymbols } =
    options;
  const file = options.normalizationRules;
  const trainer = new BpeTrainer({
    ...{ vocabSize, characterCoverage, normalization, byteFallback },
    ...{ controlSymbols, userDefinedSymbols },
    normalizationRules: file === null ? null : { file, text: readRules(file).toString() },
  });
  return {
    add: (line) => trainer.add(line),
    take: () => trainer.take(),
    give: (counted) => trainer.give(counted),
    train: (see) => pieceModel(trainer.train(see)),
  };
}
