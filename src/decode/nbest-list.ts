import type { GivenUnit, TargetScore } from './forced-scores.js';
import { BaseList, givenTarget, type ListLine, notAList, shownLine } from './given-list.js';
import { shown } from './translation-format.js';

const MARK = ' ||| ';

/** The lists of Moses and Marian: `N ||| translation ||| features ||| score`, sentences from 0. */
export class NbestList extends BaseList {
  override async line(line: ListLine): Promise<GivenUnit[]> {
    const [number, text, ...fields] = line.text.split(MARK);
    // An alignment may stand before the features, which have names.
    const place = Math.max(
      0,
      fields.slice(0, 2).findIndex((field) => field.includes('=')),
    );
    const features = fields.at(place);
    if (features === undefined || !/^ *\d+ *$/.test(number)) throw notAList(line, shownLine(line.text));
    const source = await this.source.at(Number(number), line.where);
    const { tokens, feature } = this.options;
    const target = givenTarget(text, tokens ? wordsOf(text) : undefined, this.codec, line.where);
    const write = ([{ total }]: readonly TargetScore[]): string =>
      `${[number, text, ...fields.with(place, withFeature(features, feature, total))].join(MARK)}\n`;
    return [{ source, sentence: Number(number), targets: [target], write }];
  }
}

const wordsOf = (text: string): string[] => text.split(' ').filter((word) => word !== '');

/** Features such as `A= 1 2 B= 3` with one more behind them, or with the one of this name replaced. */
export function withFeature(features: string, name: string, value: number): string {
  const words = wordsOf(features);
  const written = [`${name}=`, shown(value)];
  const start = words.findIndex((word) => word.startsWith(`${name}=`));
  if (start === -1) return [...words, ...written].join(' ');
  let end = start + 1;
  while (end < words.length && !words[end].includes('=')) end++;
  return [...words.slice(0, start), ...written, ...words.slice(end)].join(' ');
}
