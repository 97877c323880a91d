import { type Dictionary, EOS, UNK } from '../../data/dictionary.js';
import type { Shortlist } from '../../decode/shortlist.js';

/** Its name in a folder of CTranslate2. */
export const VOCABULARY_MAP_FILE = 'vmap.txt';

/** CTranslate2's names of our special symbols, by their ids. */
const SPECIALS = ['<s>', '<blank>', '</s>', '<unk>'];

/**
 * A shortlist as CTranslate2 has it (src/vocabulary_map.cc): a line for each source piece, a tab, and the target pieces that it may
 * become, parted by spaces; the line of no source piece has what every translation may have. `</s>` of the source is
 * not looked up there, so what it may become is among these.
 */
export function vocabularyMap(
  { parts: { frequent, counts, targets } }: Shortlist,
  { source, target }: Record<'source' | 'target', Dictionary>,
): string {
  let place = 0;
  const lists = Array.from(counts, (count) => {
    place += count;
    return targets.subarray(place - count, place);
  });
  const everywhere = new Set([...SPECIALS.keys(), ...frequent, ...(lists[EOS] ?? [])]);
  const line = (piece: string, ids: Iterable<number>): string => {
    const names = Array.from(ids, (id) => SPECIALS[id] ?? target.symbolOf(id));
    // A symbol of a dictionary of others may hold what parts symbols here.
    const pieces = names.filter((name) => !/[ \t]/.test(name));
    return pieces.length === 0 || /[ \t]/.test(piece) ? '' : `${piece}\t${pieces.join(' ')}\n`;
  };
  const own = lists.map((ids, id) =>
    id <= UNK
      ? ''
      : line(
          source.symbolOf(id),
          [...ids].filter((each) => !everywhere.has(each)),
        ),
  );
  return line('', everywhere) + own.join('');
}
