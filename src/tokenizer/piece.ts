/** What a piece is, by SentencePiece's numbers (sentencepiece_model.proto). */
export const PIECE_TYPES = {
  1: 'normal',
  2: 'unknown',
  3: 'control',
  4: 'user-defined',
  5: 'unused',
  6: 'byte',
} as const;
export type PieceType = (typeof PIECE_TYPES)[keyof typeof PIECE_TYPES];

export interface Piece {
  readonly piece: string;
  readonly score: number;
  readonly type: PieceType;
}

/** The normalisation rules of SentencePiece that a model can be trained with. */
export type Normalization = 'nmt_nfkc' | 'identity';
