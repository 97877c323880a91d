import { isUtf8 } from 'node:buffer';
import { PIECE_TYPES, type Piece, type PieceType } from './piece.js';
import { DamagedModelError, protoFields } from './protobuf.js';

export interface NormalizerSpec {
  /** The precompiled rules; empty for the identity. */
  readonly charsmap: Uint8Array;
  readonly addDummyPrefix: boolean;
  readonly removeExtraWhitespaces: boolean;
  readonly escapeWhitespaces: boolean;
}

/** What a .model says, as far as encoding and decoding need it. */
export interface ModelFile {
  readonly pieces: readonly Piece[];
  readonly kind: 'unigram' | 'bpe';
  readonly byteFallback: boolean;
  readonly treatWhitespaceAsSuffix: boolean;
  /** What `<unk>` is decoded to. */
  readonly unkSurface: string;
  readonly normalizer: NormalizerSpec;
  readonly denormalizer?: NormalizerSpec;
}

const KINDS: Record<number, string> = { 1: 'unigram', 2: 'bpe', 3: 'word', 4: 'char' };
const MAX_PIECES = 2 ** 21;

/** Reads a .model (ModelProto of sentencepiece_model.proto). @throws DamagedModelError */
export function parseModelFile(bytes: Uint8Array): ModelFile {
  const pieces: Piece[] = [];
  let trainer: TrainerSpec | undefined;
  let normalizer: NormalizerSpec | undefined;
  let denormalizer: NormalizerSpec | undefined;
  for (const { number, bytes: message } of protoFields(
    Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
  )) {
    if (message === undefined) continue;
    if (number === 1) pieces.push(parsePiece(message));
    else if (number === 2) trainer = parseTrainerSpec(message);
    else if (number === 3) normalizer = parseNormalizerSpec(message);
    else if (number === 5) denormalizer = parseNormalizerSpec(message);
    if (pieces.length > MAX_PIECES) throw new DamagedModelError(`it has more than ${MAX_PIECES} pieces`);
  }
  if (trainer === undefined || normalizer === undefined) {
    throw new DamagedModelError(`it has no ${trainer === undefined ? 'trainer' : 'normalizer'} part`);
  }
  return { pieces, ...trainer, normalizer, denormalizer };
}

function parsePiece(message: Buffer): Piece {
  let piece = '';
  let score = 0;
  let type: PieceType = 'normal';
  for (const { number, integer, float, bytes } of protoFields(message)) {
    if (number === 1 && bytes !== undefined) piece = text(bytes);
    else if (number === 2 && float !== undefined) score = float;
    // A number that the format does not know leaves the default.
    else if (number === 3 && integer !== undefined) type = PIECE_TYPES[integer as 1] ?? type;
  }
  return { piece, score, type };
}

type TrainerSpec = Pick<ModelFile, 'kind' | 'byteFallback' | 'treatWhitespaceAsSuffix' | 'unkSurface'>;

function parseTrainerSpec(message: Buffer): TrainerSpec {
  let kind = 1;
  let byteFallback = false;
  let treatWhitespaceAsSuffix = false;
  let unkSurface = ' \u2047 ';
  for (const { number, integer, bytes } of protoFields(message)) {
    if (number === 44 && bytes !== undefined) unkSurface = text(bytes);
    if (integer === undefined) continue;
    if (number === 3) kind = integer;
    else if (number === 24) treatWhitespaceAsSuffix = integer !== 0;
    else if (number === 35) byteFallback = integer !== 0;
  }
  const name = KINDS[kind] ?? `kind ${kind}`;
  if (name !== 'bpe' && name !== 'unigram') {
    throw new DamagedModelError(`it is a ${name} model; bpe and unigram are supported`);
  }
  return { kind: name, byteFallback, treatWhitespaceAsSuffix, unkSurface };
}

function parseNormalizerSpec(message: Buffer): NormalizerSpec {
  let charsmap = Buffer.alloc(0);
  const flags = [true, true, true];
  for (const { number, integer, bytes } of protoFields(message)) {
    if (number === 2 && bytes !== undefined) charsmap = Buffer.from(bytes);
    else if (number >= 3 && number <= 5 && integer !== undefined) flags[number - 3] = integer !== 0;
  }
  const [addDummyPrefix, removeExtraWhitespaces, escapeWhitespaces] = flags;
  return { charsmap, addDummyPrefix, removeExtraWhitespaces, escapeWhitespaces };
}

function text(bytes: Buffer): string {
  if (!isUtf8(bytes)) throw new DamagedModelError('a text in it is not UTF-8');
  return bytes.toString('utf8');
}
