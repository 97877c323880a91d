import type { IdList } from '../common/id-list.js';
import type { WordLink } from './pharaoh.js';
import type { PieceModel } from './symbol-table.js';

/* Links of words on their way to the pieces that a model reads. */

/** What SentencePiece has in the place of a space. */
const SPACE = '▁';
/** White space as Python's `split` has it, by which `translate` and `evaluate` count the words of an alignment, too. */
const WORDS = /[^\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/g;

/** The words of a text: what white space parts. */
export const wordsOf = (text: string): readonly string[] => text.match(WORDS) ?? [];

/** A sentence, as far as its links are concerned. */
export interface LinkedSide {
  readonly words: readonly string[];
  /** The words of the text as its tokenizer has it that each of them became: first, and one past the last. */
  readonly spans: readonly (readonly [first: number, end: number])[];
  /** For each piece the word of the normalised text that it is of, or begins with. */
  readonly wordOf: readonly number[];
}

/**
 * @param text of a sentence
 * @param ids of its pieces, as the tokenizer numbers them
 */
export function linkedSide(text: string, ids: Int32Array, model: PieceModel): LinkedSide {
  const words = wordsOf(text);
  const { wordOf, count } = placesInWords(Array.from(ids, (id) => model.symbols[id]));
  if (count === words.length) return { words, wordOf, spans: words.map((_, i) => [i, i + 1]) };
  // Normalisation parts or joins words: `¨` becomes a space and a mark. By itself each says what becomes of it.
  let end = 0;
  const spans = words.map((word): [number, number] => {
    const first = end;
    end += placesInWords(model.encode(word)).count;
    return [first, end];
  });
  return { words, wordOf, spans };
}

/** The word of each piece: a mark of a word's beginning that stands by itself is of the word that follows. */
function placesInWords(pieces: readonly (string | undefined)[]): { wordOf: number[]; count: number } {
  let count = 0;
  let within = false;
  const wordOf = pieces.map((piece = '?') => {
    if (piece.startsWith(SPACE)) within = false;
    const first = within ? count - 1 : count;
    for (const character of piece) {
      if (character === SPACE) within = false;
      else if (!within) {
        within = true;
        count++;
      }
    }
    return first;
  });
  return { wordOf, count };
}

/**
 * Adds the links of pieces that links of words come to, each piece of a word with each of the other, in the order of the
 * target: source and target piece in turn, as fairseq keeps them.
 *
 * @param tagged whether a token stands before the pieces of the source
 */
export function appendPieceLinks(
  links: readonly WordLink[],
  [source, target]: readonly [LinkedSide, LinkedSide],
  tagged: boolean,
  list: IdList,
): void {
  if (links.length === 0) return;
  const [from, to] = [piecesOfWords(source), piecesOfWords(target)];
  const linked = to.flat().length === 0 ? [] : target.wordOf.map(() => new Set<number>());
  for (const [s, t] of links) {
    for (const row of to[t]) for (const column of from[s]) linked[row].add(column + (tagged ? 1 : 0));
  }
  linked.forEach((columns, row) => {
    for (const column of [...columns].sort((a, b) => a - b)) {
      list.push(column);
      list.push(row);
    }
  });
}

/** The places of the pieces of each word. */
function piecesOfWords({ spans, wordOf }: LinkedSide): number[][] {
  return spans.map(([first, end]) =>
    wordOf.flatMap((word, place) => (word >= first && word < end ? [place] : [])),
  );
}
