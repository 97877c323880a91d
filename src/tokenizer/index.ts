/** SentencePiece models: reading, encoding, decoding, and training of BPE. See docs/tokenizer.md. */
export { BpeTrainer, type BpeTrainerOptions } from './bpe-trainer.js';
export type { Normalization, Piece, PieceType } from './piece.js';
export { Tokenizer } from './tokenizer.js';
