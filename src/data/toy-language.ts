import * as path from 'node:path';
import { writeFileAtomic } from '../common/files.js';
import { Purpose, RandomStream } from '../common/rng.js';

/**
 * A small synthetic language pair, for trying the program out and for its tests.
 *
 * Toa puts the verb first, then subject, object and places; adjectives follow their noun, prepositions stand before
 * it; only nouns are marked for number, by a word. Tob puts the verb last; adjectives stand before their noun and
 * agree with its class and number, postpositions follow it, an adverb moves to the second place, and the verb, far
 * from its subject, agrees with the subject's class and number. So every toa sentence has one translation, no two
 * words of a sentence can be translated without the others, and the order of words tells who does what to whom.
 */

const SOURCE = 'toa';
const TARGET = 'tob';

/** Words of both languages; the class of a noun is that of its place in the list, even or odd. */
const nouns = lexicon([
  'dako wiper',
  'mira soluf',
  'pelo kanit',
  'sufa dorem',
  'tine balog',
  'garu fenis',
  'lomi tazur',
  'beka ruvol',
  'nodi hapes',
  'rusa wekol',
  'vilo gamut',
  'kefa losir',
  'zuno pidak',
  'hari munev',
  'jomo setil',
  'fiwa barun',
  'wado kivel',
  'gemi fotas',
  'tulo nerip',
  'sabe dulom',
]);
const adjectives = lexicon([
  'okri hul',
  'umbe zan',
  'astu vep',
  'elko rim',
  'irna tof',
  'opse gul',
  'udra nek',
  'anti sib',
]);
const verbs = lexicon([
  'praku jast',
  'glemi wolk',
  'trono yemb',
  'skali durn',
  'brefu kinz',
  'dwisa palt',
  'klopi rasg',
  'streba holm',
  'plono vund',
  'frigu teks',
  'gruta misp',
  'tweli borf',
]);
const adverbs = lexicon(['nenu xio', 'baba qua', 'lulu cei', 'sisi xau']);
const prepositions = lexicon(['ke phar', 'du thil', 'po chon', 'ri shud']);
const PLURAL = 'ya';
const NOT = { source: 'ne', target: 'muk' };

/** Endings of tob by class and number. */
const NOUN_ENDINGS = { singular: ['', ''], plural: ['i', 'o'] };
const ADJECTIVE_ENDINGS = { singular: ['a', 'e'], plural: ['as', 'es'] };
const VERB_ENDINGS = { singular: ['in', 'un'], plural: ['ira', 'ura'] };

interface Word {
  readonly source: string;
  readonly target: string;
}

interface NounPhrase {
  readonly noun: number;
  readonly plural: boolean;
  readonly adjective: Word | undefined;
}

interface Clause {
  readonly negated: boolean;
  readonly verb: Word;
  readonly adverb: Word | undefined;
  readonly subject: NounPhrase;
  readonly object: NounPhrase | undefined;
  readonly place: { readonly preposition: Word; readonly phrase: NounPhrase } | undefined;
}

export interface ToyPair {
  readonly source: string;
  readonly target: string;
}

/** The translation of each toa word on its own, in the form that a dictionary gives. */
export const wordList: ReadonlyMap<string, string> = new Map(
  [...nouns, ...adjectives, ...verbs, ...adverbs, ...prepositions, NOT].map(({ source, target }) => [
    source,
    target,
  ]),
);

/** So many pairs with different sources, the same for the same seed. */
export function makeToyPairs(count: number, seed: number): ToyPair[] {
  const random = new RandomStream({ seed, step: 0, purpose: Purpose.data });
  const pairs = new Map<string, ToyPair>();
  while (pairs.size < count) {
    const clause = drawClause(random);
    const source = toToa(clause);
    pairs.set(source, { source, target: toTob(clause) });
  }
  return [...pairs.values()];
}

function lexicon(entries: readonly string[]): Word[] {
  return entries.map((entry) => {
    const [source, target] = entry.split(' ');
    return { source, target };
  });
}

function drawClause(random: RandomStream): Clause {
  const chance = (probability: number): boolean => random.nextUniform() < probability;
  const draw = <T>(items: readonly T[]): T => items[random.nextBelow(items.length)];
  const drawPhrase = (): NounPhrase => ({
    noun: random.nextBelow(nouns.length),
    plural: chance(0.4),
    adjective: chance(0.55) ? draw(adjectives) : undefined,
  });
  return {
    negated: chance(0.2),
    verb: draw(verbs),
    adverb: chance(0.5) ? draw(adverbs) : undefined,
    subject: drawPhrase(),
    object: chance(0.95) ? drawPhrase() : undefined,
    place: chance(0.7) ? { preposition: draw(prepositions), phrase: drawPhrase() } : undefined,
  };
}

/** Adverb, negation, verb, subject, object, preposition and place. */
function toToa({ negated, verb, adverb, subject, object, place }: Clause): string {
  const phrase = ({ noun, plural, adjective }: NounPhrase): string[] => [
    ...(plural ? [PLURAL] : []),
    nouns[noun].source,
    ...(adjective ? [adjective.source] : []),
  ];
  return [
    ...(adverb ? [adverb.source] : []),
    ...(negated ? [NOT.source] : []),
    verb.source,
    ...phrase(subject),
    ...(object ? phrase(object) : []),
    ...(place ? [place.preposition.source, ...phrase(place.phrase)] : []),
  ].join(' ');
}

/** Subject, adverb, place and postposition, object, verb that agrees with the subject, negation. */
function toTob({ negated, verb, adverb, subject, object, place }: Clause): string {
  const ending = (endings: typeof VERB_ENDINGS, { noun, plural }: NounPhrase): string =>
    endings[plural ? 'plural' : 'singular'][noun % 2];
  const phrase = (np: NounPhrase): string[] => [
    ...(np.adjective ? [np.adjective.target + ending(ADJECTIVE_ENDINGS, np)] : []),
    nouns[np.noun].target + ending(NOUN_ENDINGS, np),
  ];
  return [
    ...phrase(subject),
    ...(adverb ? [adverb.target] : []),
    ...(place ? [...phrase(place.phrase), place.preposition.target] : []),
    ...(object ? phrase(object) : []),
    verb.target + ending(VERB_ENDINGS, subject),
    ...(negated ? [NOT.target] : []),
  ].join(' ');
}

/** How much text to make. */
export interface ToyCorpusOptions {
  seed?: number;
  /** Pairs of the training text. */
  pairs?: number;
  valid?: number;
  test?: number;
}

/** Writes `train`, `valid` and `test`, each a file a language, no sentence in two of them. */
export function writeToyCorpus(
  folder: string,
  { seed = 1, pairs = 6000, valid = 300, test = 300 }: ToyCorpusOptions = {},
): void {
  const all = makeToyPairs(valid + test + pairs, seed);
  const splits: Record<string, ToyPair[]> = {
    valid: all.slice(0, valid),
    test: all.slice(valid, valid + test),
    train: all.slice(valid + test),
  };
  for (const [split, part] of Object.entries(splits)) {
    const lines = (side: keyof ToyPair): string => part.map((pair) => `${pair[side]}\n`).join('');
    writeFileAtomic(path.join(folder, `${split}.${SOURCE}`), lines('source'));
    writeFileAtomic(path.join(folder, `${split}.${TARGET}`), lines('target'));
  }
}
