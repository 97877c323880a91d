import { UNK } from '../../data/dictionary.js';
import type { LineCodec } from '../text-codec.js';
import type { Units } from './units.js';

/** Stands where `<unk>` is: half of a surrogate pair, which no text has by itself. */
export const UNKNOWN = '\ud800';

/**
 * What stands in the place of each `<unk>` of a translation: what it attends to most, or what a dictionary has for that.
 * One that is a whole word becomes the source word, one within a word the source piece.
 *
 * @param ids of the target, `</s>` at the end
 * @param best for each target token the source token that it attends to most, see `strongest`
 * @param entries target phrases by source words or pieces
 */
export function replacements(
  ids: readonly number[],
  best: readonly number[],
  source: Units,
  codec: Pick<LineCodec, 'decode' | 'sourceText'>,
  entries: ReadonlyMap<string, string>,
): string[] {
  const places = best.filter((_, i) => ids[i] === UNK);
  const parts = codec
    .decode(
      ids,
      places.map(() => UNKNOWN),
    )
    .split(UNKNOWN);
  return places.map((place, i) => {
    if (place === -1) return '';
    const whole = !/\S$/.test(parts[i]) && !/^\S/.test(parts[i + 1]) && !isBetween(parts, i);
    const piece = codec.sourceText([source.pieces[place]]).trim();
    const word = source.words[source.wordOf[place]] ?? piece;
    return (whole ? entries.get(word) : undefined) ?? entries.get(piece) ?? (whole ? word : piece);
  });
}

/** Whether another `<unk>` stands right before or behind it. */
const isBetween = (parts: readonly string[], i: number): boolean =>
  (i > 0 && parts[i] === '') || (i + 2 < parts.length && parts[i + 1] === '');
