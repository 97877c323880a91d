import type { TargetScore } from '../../src/decode/forced-scores.js';
import { type GivenList, type ListCodec, SourceInOrder } from '../../src/decode/given-list.js';

/** Words are their lengths, `</s>` is 2; tokens are numbers. */
const ids = (text: string): Int32Array => {
  const words = text.split(' ').filter((word) => word !== '');
  return Int32Array.from(words.length === 0 ? [] : [...words.map(({ length }) => length), 2]);
};

export const listCodec: ListCodec = {
  encode: ids,
  encodeTarget: ids,
  targetIds: (tokens, unknown) =>
    Int32Array.from([...tokens.map((token) => (/^\d+$/.test(token) ? Number(token) : unknown(token))), 2]),
};

export const OPTIONS = { feature: 'Forced', field: 'Forced', tokens: false, lenpen: 1 };

export function sourceOf(...lines: string[]): SourceInOrder {
  async function* each() {
    yield* lines;
  }
  return new SourceInOrder(each(), ids);
}

/** Source and targets of each unit, and what is written when token i of target j has −(i + 1 + j). */
export async function readAll(
  list: GivenList,
  lines: readonly string[],
): Promise<{ pairs: [source: number[], targets: number[][]][]; written: string }> {
  const units = [];
  for (const [i, text] of lines.entries()) units.push(...(await list.line({ text, where: `list:${i + 1}` })));
  units.push(...list.end());
  const scoreOf = (target: Int32Array, j: number): TargetScore => {
    const logProbs = Array.from(target, (_, i) => -(i + 1 + j));
    return { logProbs, total: logProbs.reduce((sum, value) => sum + value, 0) };
  };
  return {
    pairs: units
      .filter(({ targets }) => targets.length > 0)
      .map(({ source, targets }) => [[...source], targets.map((target) => [...target.ids])]),
    written: units
      .map(({ targets, write }) => write(targets.map((target, j) => scoreOf(target.ids, j))))
      .join(''),
  };
}
