import { UserError } from '../common/errors.js';

/** A word of the source and one of the target that go together, from 0. */
export type WordLink = readonly [source: number, target: number];

const LINK = /^(\d{1,9})-(\d{1,9})$/;

/**
 * Reads a line of an alignment in Pharaoh's format, `0-0 1-2`; a blank one has no links.
 *
 * @param counts words of the source and of the target sentence
 * @param where file and line, for errors
 * @throws UserError naming the first token that is no link, or links a word that is not there
 */
export function parsePharaoh(
  line: string,
  counts: readonly [source: number, target: number],
  where: string,
): WordLink[] {
  const tokens = line.split(/[ \t]+/).filter((token) => token !== '');
  return tokens.map((token, i): WordLink => {
    const found = LINK.exec(token);
    if (found === null) {
      throw new UserError({
        problem: `expected links such as 0-0 1-2, source and target words from 0, found '${token.slice(0, 40)}' as token ${i + 1}`,
        where,
        hint: "The file is to be in Pharaoh's format, as fast_align and eflomal write it.",
      });
    }
    const link: WordLink = [Number(found[1]), Number(found[2])];
    const side = link.findIndex((place, at) => place >= counts[at]);
    if (side !== -1) {
      throw new UserError({
        problem: `the link '${token}', token ${i + 1}, has word ${link[side]} of the ${['source', 'target'][side]}, which has ${counts[side]} (they count from 0)`,
        where,
        hint: 'Words are what white space parts in the text: the file belongs to another text, or to one that was tokenised otherwise, or has target and source the other way round.',
      });
    }
    return link;
  });
}
