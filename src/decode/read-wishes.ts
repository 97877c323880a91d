import { UserError } from '../common/errors.js';
import { UNK } from '../data/dictionary.js';
import { Phrases } from './choice/phrases.js';
import { type LineRequest, lineName } from './line-request.js';
import { greatestLength, type SearchOptions, type Wishes } from './search-options.js';
import type { LineCodec } from './text-codec.js';

/**
 * What is wished of a line, in target ids; undefined where that is nothing.
 *
 * @param sourceLength tokens of the line
 * @throws UserError that names the line, and the phrase, where it cannot be had
 */
export function readWishes(
  { prefix = '', constraints = [], forbidden = [], minLen, maxLen }: LineRequest,
  index: number,
  sourceLength: number,
  codec: LineCodec,
  options: SearchOptions,
): Wishes | undefined {
  const wanted = [...new Set(constraints)];
  if (
    wanted.length === 0 &&
    forbidden.length === 0 &&
    prefix.trim() === '' &&
    minLen === undefined &&
    maxLen === undefined
  )
    return undefined;
  if (prefix.trim() !== '' && options.rightToLeft)
    throw new UserError({
      problem: `a model that writes from right to left cannot be given the beginning of a translation; found the prefix '${prefix}'`,
      where: lineName(index),
      hint: 'Leave it out, or ask for it as a phrase that must be there (constraints).',
    });
  const ids = (phrase: string): number[] => idsOf(phrase, index, codec);
  const wishes = {
    line: index,
    prefix: prefix.trim() === '' ? [] : ids(prefix),
    required: (options.constraints === 'ordered' ? constraints : wanted).map(ids),
    forbidden: forbidden.flatMap((phrase) => spellingsOf(phrase, index, codec)),
    minLen,
    maxLen,
  };
  checkChoice(wishes, options);
  checkForbidden(wishes, codec);
  checkRoom(wishes, greatestLength(options, sourceLength, wishes), options);
  return wishes;
}

/** A phrase in pieces that the model has. */
function idsOf(phrase: string, index: number, codec: LineCodec): number[] {
  const ids = [...codec.encodeTarget(phrase).subarray(0, -1)]; // without </s>
  if (ids.length > 0 && !ids.includes(UNK)) return ids;
  throw new UserError({
    problem:
      ids.length === 0
        ? `expected a phrase, found '${phrase}'`
        : `expected a phrase of tokens that the model has, found '${phrase}', of which it lacks ${ids.length === 1 ? 'the only one' : 'some'}`,
    where: lineName(index),
  });
}

/** All ways to write a forbidden phrase; one that cannot be written needs no care. */
function spellingsOf(phrase: string, index: number, codec: LineCodec): number[][] {
  const spellings = codec.spellings(phrase);
  if (spellings.length === 0)
    throw new UserError({
      problem: `expected a forbidden phrase, found '${phrase}'`,
      where: lineName(index),
    });
  return spellings.filter((ids) => !ids.includes(UNK));
}

function checkChoice({ line, required }: Wishes, { sampling, diverseBeamGroups = 1 }: SearchOptions): void {
  if (required!.length === 0 || (!sampling && diverseBeamGroups === 1)) return;
  throw new UserError({
    problem: `phrases that must be there are found by a beam, not by ${sampling ? 'sampling' : 'diverse groups'}`,
    where: lineName(line),
    hint: sampling
      ? 'Leave --sampling out, or the constraints.'
      : 'Leave --diverse-beam-groups out, or the constraints.',
  });
}

function checkForbidden({ line, prefix, required, forbidden }: Wishes, codec: LineCodec): void {
  for (const phrase of forbidden!) {
    const within = [prefix!, ...required!].find((ids) => `,${ids},`.includes(`,${phrase},`));
    if (within !== undefined)
      throw new UserError({
        problem: `'${codec.phrase(phrase)}' is forbidden, and '${codec.phrase(within)}' must be there`,
        where: lineName(line),
      });
  }
}

function checkRoom(
  { line, prefix, required, minLen = 0 }: Wishes,
  most: number,
  { constraints }: SearchOptions,
): void {
  const where = lineName(line);
  if (minLen > most)
    throw new UserError({
      problem: `expected at least ${minLen} tokens, of which at most ${most} may be`,
      where,
    });
  const phrases = new Phrases(required!, constraints === 'ordered');
  const least = prefix!.length + phrases.need(phrases.after(prefix!));
  if (least > most)
    throw new UserError({
      problem: `what its translation must have takes ${least} tokens, and it may have ${most}`,
      where,
      hint: 'Raise --max-len-b, or maxLen of the line, or leave out some of the phrases.',
    });
}
