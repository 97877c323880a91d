import { isUtf8 } from 'node:buffer';
import type { ModelFile } from './model-file.js';
import { Normalizer, SPACE_SYMBOL } from './normalizer.js';
import type { Vocabulary } from './vocabulary.js';

/** Makes text of pieces again (sentencepiece_processor.cc, Decode). */
export class Decoder {
  private readonly vocabulary: Vocabulary;
  private readonly model: ModelFile;
  private readonly denormalizer: Normalizer | undefined;

  constructor(model: ModelFile, vocabulary: Vocabulary) {
    this.model = model;
    this.vocabulary = vocabulary;
    const { denormalizer } = model;
    if (denormalizer !== undefined && denormalizer.charsmap.length > 0) {
      this.denormalizer = new Normalizer(denormalizer);
    }
  }

  decode(pieces: Iterable<string>): string {
    const { normalizer } = this.model;
    const trimsStart = normalizer.addDummyPrefix || normalizer.removeExtraWhitespaces;
    let text = '';
    let bytes: number[] = [];
    let spaceSeen = false;
    let atStart = true;
    for (const piece of pieces) {
      const id = this.vocabulary.idOf(piece);
      const { type } = this.vocabulary.pieces[id];
      if (type === 'byte') {
        bytes.push(Number.parseInt(piece.slice(3, 5), 16));
        continue;
      }
      if (bytes.length > 0) text += textOfBytes(bytes);
      bytes = [];
      if (spaceSeen || text !== '') atStart = false;
      spaceSeen = false;
      if (type === 'unknown') text += this.textOfUnknown(piece, id);
      else if (type !== 'control') {
        const trimmed = atStart && trimsStart && piece.startsWith(SPACE_SYMBOL);
        spaceSeen = trimmed && !normalizer.removeExtraWhitespaces;
        text += (trimmed ? piece.slice(1) : piece).replaceAll(SPACE_SYMBOL, ' ');
      }
    }
    text += textOfBytes(bytes);
    return this.denormalizer?.normalize(text) ?? text;
  }

  /** The unknown piece itself is written as the model wants it, other text stays as it is. */
  private textOfUnknown(piece: string, id: number): string {
    return piece === this.vocabulary.pieces[id].piece ? this.model.unkSurface : piece;
  }
}

/** UTF-8, where each byte that is not part of a character becomes U+FFFD. */
function textOfBytes(bytes: readonly number[]): string {
  let text = '';
  for (let start = 0; start < bytes.length; ) {
    const lead = bytes[start];
    const length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    const character = Buffer.from(bytes.slice(start, start + length));
    const valid = character.length === length && isUtf8(character);
    text += valid ? character.toString('utf8') : '\ufffd';
    start += valid ? length : 1;
  }
  return text;
}
