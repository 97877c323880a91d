import { EOS } from '../../data/dictionary.js';
import type { Group, Sentence } from '../sentence.js';
import { bestOf } from './best.js';
import type { Choice } from './choice.js';

/**
 * Diverse beam search (Vijayakumar et al., 2016) with Hamming diversity: for each hypothesis that groups before it have
 * chosen with a token at this step, a group takes `strength` off what ends with this token.
 */
export function diverse(strength: number): Choice {
  return (sentence, group, probabilities) => {
    const cost = new Map<number, number>();
    for (const other of sentence.groups) {
      if (other === group) break;
      for (const token of chosenNow(other, sentence)) cost.set(token, (cost.get(token) ?? 0) + strength);
    }
    return bestOf(group.live, 2 * group.width, probabilities, cost);
  };
}

/** The last tokens of the hypotheses that a group has chosen in this step, ended ones included. */
function chosenNow({ live, finished }: Group, { length }: Sentence): number[] {
  const ended = finished.filter(({ tokens }) => tokens.length === length + 1);
  return [...live.map(({ token }) => token), ...ended.map(() => EOS)];
}
