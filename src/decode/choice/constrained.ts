import { EOS } from '../../data/dictionary.js';
import { after, type Link, ranked } from '../hypothesis.js';
import { bestOf } from './best.js';
import type { Choice } from './choice.js';
import type { Phrases } from './phrases.js';

/**
 * Grid beam search with dynamic allocation (Post and Vilar, 2018): hypotheses compete with those that have had as many tokens of
 * the phrases, and the beam goes round these banks, from the one that has most of them. Considered are the best continuations of
 * all, and for each hypothesis its best one and those that bring it further. One may end when it has all phrases, and goes on
 * only as long as there is room for what is missing: so each has them all in the end, unless other rules forbid them.
 */
export function constrained(phrases: Phrases): Choice {
  return ({ length, maxLength }, group, probabilities) => {
    const wide = 2 * group.width;
    const candidates = [
      ...bestOf(group.live, wide, probabilities),
      ...group.live.flatMap((parent) => [
        ...bestOf([parent], 1, probabilities),
        ...phrases.next(parent.progress!).map((id) => after(parent, id, probabilities(parent)[id])),
        after(parent, EOS, probabilities(parent)[EOS]),
      ]),
    ];
    const unlike = new Map(candidates.map((link) => [`${link.row} ${link.token}`, link]));
    const possible = ranked([...unlike.values()]);
    for (const link of possible) link.progress = progressOf(link, phrases);
    const left = maxLength - length - 1;
    const allowed = possible.filter(({ token, progress }) => {
      const need = phrases.need(progress!);
      return token === EOS ? need === 0 : need <= left;
    });
    if (allowed.length > 0) return inTurn(allowed, phrases).slice(0, wide);
    // Other rules forbid a phrase: the most that can be had of them.
    return group.finished.length > 0 ? [] : inTurn(possible, phrases).slice(0, wide);
  };
}

function progressOf({ token, parent }: Link, phrases: Phrases): Link['progress'] {
  return token === EOS ? parent!.progress : phrases.advance(parent!.progress!, token);
}

/** The best of each bank, the one that needs least first; then the second of each; and so on. */
function inTurn(links: readonly Link[], phrases: Phrases): Link[] {
  const banks = new Map<number, Link[]>();
  for (const link of links) {
    const need = phrases.need(link.progress!);
    banks.set(need, [...(banks.get(need) ?? []), link]);
  }
  const order = [...banks.keys()].sort((a, b) => a - b);
  return Array.from({ length: links.length }, (_, rank) => rank).flatMap((rank) =>
    order.flatMap((need) => banks.get(need)![rank] ?? []),
  );
}
