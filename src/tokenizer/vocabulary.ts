import type { ModelFile } from './model-file.js';
import { SPACE_SYMBOL } from './normalizer.js';
import type { Piece } from './piece.js';
import { DamagedModelError } from './protobuf.js';

/** The pieces of a model by text and by number (model_interface.cc). */
export class Vocabulary {
  readonly pieces: readonly Piece[];
  readonly unknownId: number;
  /** Ids of the pieces that text is segmented into: normal, user-defined and unused ones. */
  readonly segments = new Map<string, number>();
  /** Texts of the user-defined pieces. */
  readonly userDefined: string[] = [];
  /** Ids of the byte pieces; undefined without byte fallback. */
  readonly byteIds: Int32Array | undefined;
  /** Length of the longest segment in UTF-16 units. */
  readonly longest: number;
  /** Ids of the control, unknown and byte pieces. */
  private readonly reserved = new Map<string, number>();

  constructor({ pieces, byteFallback }: Pick<ModelFile, 'pieces' | 'byteFallback'>) {
    this.pieces = pieces;
    const byteIds = new Int32Array(256).fill(-1);
    let unknownId = -1;
    let longest = 0;
    pieces.forEach(({ piece, type }, id) => {
      if (piece === '') throw new DamagedModelError(`piece ${id} is empty`);
      const isSegment = type === 'normal' || type === 'user-defined' || type === 'unused';
      const ids = isSegment ? this.segments : this.reserved;
      if (ids.has(piece)) throw new DamagedModelError(`piece ${id} is there twice`);
      ids.set(piece, id);
      if (isSegment) longest = Math.max(longest, piece.length);
      if (type === 'user-defined') this.userDefined.push(piece);
      if (type === 'byte') byteIds[byteOf(piece, id)] = id;
      if (type !== 'unknown') return;
      if (unknownId >= 0) throw new DamagedModelError('it has two unknown pieces');
      unknownId = id;
    });
    if (unknownId < 0) throw new DamagedModelError('it has no unknown piece');
    if (byteFallback ? byteIds.includes(-1) : byteIds.some((id) => id >= 0)) {
      throw new DamagedModelError(
        `expected ${byteFallback ? '256' : 'no'} byte pieces, as byte_fallback is ${byteFallback}`,
      );
    }
    this.unknownId = unknownId;
    this.longest = longest;
    this.byteIds = byteFallback ? byteIds : undefined;
  }

  /** The id of a piece; that of the unknown piece where there is none. */
  idOf(piece: string): number {
    return this.reserved.get(piece) ?? this.segments.get(piece) ?? this.unknownId;
  }

  /** True where no segment goes over the start of a word: words may be segmented one by one. */
  get wordwise(): boolean {
    return ![...this.segments.keys()].some((piece) => piece.includes(SPACE_SYMBOL, 1));
  }
}

/** The byte that a piece such as `<0x0A>` stands for. */
function byteOf(piece: string, id: number): number {
  const byte = /^<0x([0-9A-F]{2})>$/.exec(piece);
  if (byte === null)
    throw new DamagedModelError(`piece ${id} is no byte: ${JSON.stringify(piece.slice(0, 20))}`);
  return Number.parseInt(byte[1], 16);
}

/** The piece of a byte. */
export function bytePiece(byte: number): string {
  return `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`;
}
