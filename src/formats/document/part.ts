/** A part of a document: what of it is translated, and what it is with the translations in their places. */
export interface DocumentPart {
  /** Sentences, in their order; none where there is nothing to translate. */
  readonly segments: readonly string[];
  /** @param translations one for each segment */
  assemble(translations: readonly string[]): string;
}

/** A piece of a part: text that stays what it is, or a segment. */
export type Piece = string | { readonly segment: string };

/** A part of pieces, one behind the other. */
export function partOf(pieces: readonly Piece[]): DocumentPart {
  return {
    segments: pieces.flatMap((piece) => (typeof piece === 'string' ? [] : [piece.segment])),
    assemble: (translations) => {
      const next = translations[Symbol.iterator]();
      return pieces.map((piece) => (typeof piece === 'string' ? piece : next.next().value)).join('');
    },
  };
}

/** A part whose text, once it is assembled, stands somewhere else, or is written in another way. */
export function within(part: DocumentPart, write: (text: string) => string): DocumentPart {
  return { segments: part.segments, assemble: (translations) => write(part.assemble(translations)) };
}
