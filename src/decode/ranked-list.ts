import type { GivenUnit, TargetScore } from './forced-scores.js';
import type { MinimumRisk } from './minimum-risk.js';
import { rounded } from './translation-format.js';

/** The translations of one sentence of a list. */
export interface RankedSentence {
  /** Its number, from 0; null of lines before the first translation. */
  sentence: number | null;
  /** The text of the best; null where there is none. */
  best: string | null;
  /** The lines of the list, the best translation first. Those that are no translation stay where they were. */
  written: string;
}

/** Puts the translations of each sentence in the order of their utilities, which are written as their scores. */
export async function* rankedSentences(
  units: AsyncIterable<GivenUnit>,
  risk: MinimumRisk,
): AsyncGenerator<RankedSentence> {
  let open: GivenUnit[] = [];
  let sentence: number | null = null;
  for await (const unit of units) {
    if (unit.sentence !== undefined && unit.sentence !== sentence) {
      if (open.length > 0) yield rankedSentence(sentence, open, risk);
      [open, sentence] = [[], unit.sentence];
    }
    open.push(unit);
  }
  if (open.length > 0) yield rankedSentence(sentence, open, risk);
}

/** A translation, by its place. */
interface Candidate {
  unit: GivenUnit;
  /** Among the targets of the unit. */
  place: number;
  text: string;
  utility: number;
  /** What is written of its unit with the utilities: tells those apart that are otherwise alike. */
  lines: string;
}

function rankedSentence(
  sentence: number | null,
  units: readonly GivenUnit[],
  risk: MinimumRisk,
): RankedSentence {
  const ranked = rank(units, risk);
  const order = new Map<GivenUnit, number[]>(); // of units, and of targets in them
  for (const { unit, place } of ranked) order.set(unit, [...(order.get(unit) ?? []), place]);
  const scores = new Map(units.map((unit) => [unit, new Array<TargetScore>(unit.targets.length)]));
  for (const { unit, place, utility } of ranked) scores.get(unit)![place] = scoreOf(utility);
  const inOrder = order.keys();
  const written = units
    .map((unit) => (order.has(unit) ? inOrder.next().value! : unit))
    .map((unit) => unit.write(scores.get(unit)!, [], order.get(unit)));
  return { sentence, best: ranked.at(0)?.text ?? null, written: written.join('') };
}

/** By falling utility, as it is written; ties by text and then by all that is written, so that the order of the list does not matter. */
function rank(units: readonly GivenUnit[], risk: MinimumRisk): Candidate[] {
  const texts = units.flatMap(({ targets }) => targets.map(({ text }) => text));
  const utilities = risk.utilities(texts).values();
  const candidates = units.flatMap((unit) => {
    const scores = unit.targets.map(() => scoreOf(rounded(utilities.next().value!)));
    return unit.targets.map(({ text }, place): Candidate => {
      const lines = unit.write(scores, [], [place]);
      return { unit, place, text, utility: scores[place].total, lines };
    });
  });
  return candidates.sort(
    (a, b) => b.utility - a.utility || compare(a.text, b.text) || compare(a.lines, b.lines),
  );
}

const scoreOf = (utility: number): TargetScore => ({ logProbs: [], total: utility });

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
