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
  /** Words that say the same, source-target, from 0 (Pharaoh). */
  readonly alignment: string;
}

/** A word of a sentence, and what it says: the part of the clause that it is of. */
type Part = readonly [says: string, word: string];

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
    const [toa, tob] = [toToa(clause), toTob(clause)];
    const source = textOf(toa);
    pairs.set(source, { source, target: textOf(tob), alignment: align(toa, tob) });
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

const textOf = (parts: readonly Part[]): string => parts.map(([, word]) => word).join(' ');

function align(source: readonly Part[], target: readonly Part[]): string {
  const links = source.flatMap(([says], i) =>
    target.flatMap(([said], j) => (says === said ? [`${i}-${j}`] : [])),
  );
  return links.join(' ');
}

/** Adverb, negation, verb, subject, object, preposition and place. */
function toToa({ negated, verb, adverb, subject, object, place }: Clause): Part[] {
  const phrase = (role: string, { noun, plural, adjective }: NounPhrase): Part[] => [
    ...(plural ? [[role, PLURAL] as const] : []),
    [role, nouns[noun].source],
    ...(adjective ? [[`${role} adjective`, adjective.source] as const] : []),
  ];
  return [
    ...(adverb ? [['adverb', adverb.source] as const] : []),
    ...(negated ? [['not', NOT.source] as const] : []),
    ['verb', verb.source],
    ...phrase('subject', subject),
    ...(object ? phrase('object', object) : []),
    ...(place ? [['preposition', place.preposition.source] as const, ...phrase('place', place.phrase)] : []),
  ];
}

/** Subject, adverb, place and postposition, object, verb that agrees with the subject, negation. */
function toTob({ negated, verb, adverb, subject, object, place }: Clause): Part[] {
  const ending = (endings: typeof VERB_ENDINGS, { noun, plural }: NounPhrase): string =>
    endings[plural ? 'plural' : 'singular'][noun % 2];
  const phrase = (role: string, np: NounPhrase): Part[] => [
    ...(np.adjective
      ? [[`${role} adjective`, np.adjective.target + ending(ADJECTIVE_ENDINGS, np)] as const]
      : []),
    [role, nouns[np.noun].target + ending(NOUN_ENDINGS, np)],
  ];
  return [
    ...phrase('subject', subject),
    ...(adverb ? [['adverb', adverb.target] as const] : []),
    ...(place ? [...phrase('place', place.phrase), ['preposition', place.preposition.target] as const] : []),
    ...(object ? phrase('object', object) : []),
    ['verb', verb.target + ending(VERB_ENDINGS, subject)],
    ...(negated ? [['not', NOT.target] as const] : []),
  ];
}

/** How much text to make. */
export interface ToyCorpusOptions {
  seed?: number;
  /** Pairs of the training text. */
  pairs?: number;
  valid?: number;
  test?: number;
}

/** Writes `train`, `valid` and `test`, each a file a language and one of alignments, no sentence in two of them. */
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
    writeFileAtomic(path.join(folder, `${split}.align`), lines('alignment'));
  }
}
