/**
 * What became of a training, by where its loss is at the end and whether it still falls there; or that it diverged, ended with
 * an error, or has not come to its end.
 */
export type Verdict = 'converged' | 'learning' | 'early' | 'plateau' | 'unfinished' | 'failed' | 'diverged';

/** From the best to the worst, with the letter of each: verdicts are told apart without colours too. */
export const LETTERS: Readonly<Record<Verdict, string>> = {
  converged: 'C',
  learning: 'L',
  early: 'E',
  plateau: 'P',
  unfinished: '·',
  failed: 'F',
  diverged: 'D',
};

/** Below this share of the unigram loss a model has got past the plateau: it knows more than how frequent words are. */
export const PAST = 0.9;
/** The last part of a training, as a share of its updates, … */
export const LAST_PART = 1 / 3;
/** … what its points must span of it to tell of it all, … */
export const SPAN = 1 / 4;
/** … and the share of the unigram loss that a curve must come down over it to be falling. */
export const FALL = 0.02;

const percent = (share: number): string => `${Math.round(100 * share)} %`;
const past = `more than ${percent(1 - PAST)} below the unigram plateau`;

/** What each verdict means. */
export const MEANINGS: Readonly<Record<Verdict, string>> = {
  converged: `${past}, and no longer falling`,
  learning: `${past}, and still falling`,
  early: `not ${past}, but still falling: too early to tell`,
  plateau: `not ${past}, and no longer falling`,
  unfinished: 'not at its end',
  failed: 'ended with an error',
  diverged: 'a loss that is not finite, or that rose and stayed high',
};

/** What the words of MEANINGS mean. */
export const DEFINITION =
  'The unigram plateau is the loss of a model that knows how frequent words are, and nothing else. Where a training is, its ' +
  'last validation tells; it is still falling if a straight line through the validations of its last third comes down by ' +
  `more than ${percent(FALL)} of the plateau over that third, or a line through its training losses where those are too few ` +
  'to tell; where these are, too, it counts as falling.';

/** Those verdicts, from the best to the worst, each with its letter and its meaning. */
export function explainVerdicts(verdicts: Iterable<Verdict> = Object.keys(LETTERS) as Verdict[]): string[] {
  const wanted = new Set(verdicts);
  return (Object.keys(LETTERS) as Verdict[])
    .filter((verdict) => wanted.has(verdict))
    .map((verdict) => `${LETTERS[verdict]} ${verdict}: ${MEANINGS[verdict]}`);
}
