import { EOS } from '../data/dictionary.js';
import type { Progress } from './choice/phrases.js';

export interface Hypothesis {
  /** Target ids, ending in `</s>`. */
  tokens: number[];
  /** Natural log-probability of each token. */
  logProbs: number[];
  /** Σ log p. */
  total: number;
  /** Σ log p / length^lenpen. */
  score: number;
}

/** A live hypothesis, or one that may become so, as a chain of its tokens from the last to the first. */
export interface Link {
  token: number;
  logProb: number;
  /** What hypotheses are compared by: Σ log p, less what a search takes off for its own ends. */
  total: number;
  parent: Link | null;
  /** Its row among those of its sentence; that of its parent until it is chosen. */
  row: number;
  /** How far it is with the phrases that it must have, where there are any. */
  progress?: Progress;
}

/** Where every translation begins. */
export const root = (progress?: Progress): Link => ({
  token: EOS,
  logProb: 0,
  total: 0,
  parent: null,
  row: 0,
  progress,
});

/** What a token after a hypothesis makes of it. @param cost what the search takes off */
export const after = (parent: Link, token: number, logProb: number, cost = 0): Link => ({
  token,
  logProb,
  total: parent.total + logProb - cost,
  parent,
  row: parent.row,
});

/** A hypothesis from its first token to its last, without the `</s>` that it begins with. */
function linksOf(last: Link): Link[] {
  const links: Link[] = [];
  for (let link = last; link.parent !== null; link = link.parent) links.push(link);
  return links.reverse();
}

/** The tokens of a hypothesis, without the `</s>` that it begins with. */
export const tokensOf = (last: Link): number[] => linksOf(last).map(({ token }) => token);

/** A hypothesis that has come to its end. */
export function finish(last: Link, lenpen: number): Hypothesis {
  const links = linksOf(last);
  const logProbs = links.map(({ logProb }) => logProb);
  const total = logProbs.reduce((sum, logProb) => sum + logProb, 0);
  return {
    tokens: links.map(({ token }) => token),
    logProbs,
    total,
    score: total / logProbs.length ** lenpen,
  };
}

/** The possible ones by falling total; ties to the better hypothesis (they are in order), then to the lower id. */
export function ranked(candidates: Link[]): Link[] {
  return candidates
    .filter(({ total }) => Number.isFinite(total))
    .sort((a, b) => b.total - a.total || a.row - b.row || a.token - b.token);
}
