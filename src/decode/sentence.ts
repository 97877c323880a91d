import { EOS } from '../data/dictionary.js';
import { Phrases } from './choice/phrases.js';
import { finish, type Hypothesis, type Link, root } from './hypothesis.js';
import type { Rule } from './rules/rule.js';
import { rulesOf } from './rules/rules.js';
import { greatestLength, type Preferences, type SearchOptions, type Wishes } from './search-options.js';

/** Hypotheses of a sentence that compete with each other alone. */
export interface Group {
  /** How many of them live, and finish, at most. */
  readonly width: number;
  live: Link[];
  finished: Hypothesis[];
}

/** A sentence on its way. */
export interface Sentence {
  /** Its place among all that were taken in. */
  readonly place: number;
  readonly sourceLength: number;
  readonly minLength: number;
  readonly maxLength: number;
  /** Tokens of each live hypothesis. */
  length: number;
  readonly groups: readonly Group[];
  readonly rules: readonly Rule[];
  /** What its translation must have; null where that is nothing. */
  readonly phrases: Phrases | null;
  /** What is asked of it beyond a plain beam. */
  readonly how: Preferences;
  /** Place of its line in the input. */
  readonly line: number;
}

/** A sentence of which nothing is translated yet. */
export function newSentence(
  place: number,
  sourceLength: number,
  options: SearchOptions,
  wishes: Wishes = { line: place },
): Sentence {
  const { required = [] } = wishes;
  const how = wishes.how === undefined ? options : { ...options, ...wishes.how };
  const phrases = required.length > 0 ? new Phrases(required, how.constraints === 'ordered') : null;
  const start = root(phrases?.start);
  return {
    place,
    sourceLength,
    minLength: wishes.minLen ?? options.minLen,
    maxLength: greatestLength(options, sourceLength, wishes),
    length: 0,
    groups: widths(how).map((width) => ({ width, live: [start], finished: [] })),
    rules: rulesOf(how, wishes),
    phrases,
    how,
    line: wishes.line,
  };
}

/** Of each group: samples compete with none, a plain beam is one group. */
function widths({ beam, sampling = false, diverseBeamGroups = 1 }: SearchOptions): number[] {
  if (sampling) return new Array<number>(beam).fill(1);
  return new Array<number>(diverseBeamGroups).fill(Math.max(1, Math.floor(beam / diverseBeamGroups)));
}

/** The live hypotheses of a sentence by their rows; at its beginning all groups have the same one. */
export function rowsOf({ groups, length }: Sentence): Link[] {
  if (length === 0) return groups[0].live;
  return groups.length === 1 ? groups[0].live : groups.flatMap(({ live }) => live);
}

/**
 * Takes a group one token further: those of the best continuations that are `</s>` finish a hypothesis, the others live on.
 *
 * @param candidates at most twice as many as the group is wide, best first
 */
export function advance(group: Group, candidates: readonly Link[], lenpen: number): void {
  const { width, finished } = group;
  const live: Link[] = [];
  for (let i = 0; i < candidates.length; i++) {
    const candidate = candidates[i];
    if (candidate.token !== EOS) {
      if (live.length < width) live.push(candidate);
    } else if (i < width && finished.length < width) finished.push(finish(candidate, lenpen));
  }
  group.live = finished.length < width ? live : [];
}

/** Whether it is not done yet. */
export const isLive = ({ groups }: Sentence): boolean => groups.some(({ live }) => live.length > 0);

/** All that a sentence came to, best score first. */
export function outcome({ groups }: Sentence): Hypothesis[] {
  return groups.flatMap(({ finished }) => finished).sort((a, b) => b.score - a.score);
}
