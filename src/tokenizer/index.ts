/** SentencePiece models: reading, encoding, decoding, and training of BPE. See docs/tokenizer.md. */
export { BpeTrainer, type BpeTrainerOptions } from './bpe-trainer.js';
export type { Piece, PieceType } from './model-file.js';
export type { Normalization } from './model-writer.js';
export { Tokenizer } from './tokenizer.js';
