import { floatLiteral, formatFixed } from './decimal.js';
import type { Score } from './metric.js';

export interface FormatOptions {
  /** Decimals of the score. */
  width?: number;
  /** A signature in the long or the short form; JSON gets a key for each of its entries. */
  signature?: string;
  /** Only the number, whatever `json` says. */
  scoreOnly?: boolean;
  json?: boolean;
}

/**
 * A score as sacreBLEU prints it: `BLEU|signature = 36.3 83.6/52.5/… (BP = …)`, the number alone, or JSON with
 * sacreBLEU's keys in its order, indented by one space.
 */
export function formatScore(score: Score, options: FormatOptions = {}): string {
  const { width = 2, signature = '', scoreOnly = false, json = false } = options;
  const number = formatFixed(score.score, width);
  if (scoreOnly) return number;
  if (json) return formatJson(score, number, signature);
  const head = signature === '' ? score.name : `${score.name}|${signature}`;
  return `${head} = ${number}${score.verbose && ` ${score.verbose}`}`;
}

/** Several scores of one corpus: one JSON object or an array of them, or lines aligned at the equals sign. */
export function formatScores(formatted: readonly string[], json: boolean): string {
  if (formatted.length === 1) return formatted[0];
  return json ? `[\n${formatted.join(',\n')}\n]` : formatted.join('\n');
}

function formatJson(score: Score, number: string, signature: string): string {
  // Written by hand for the number: Python prints 100.0 where JavaScript prints 100.
  const members: [key: string, literal: string][] = [
    ['name', JSON.stringify(score.name)],
    ['score', floatLiteral(Number(number))],
    ['signature', JSON.stringify(signature)],
  ];
  if (score.verbose) members.push(['verbose_score', JSON.stringify(score.verbose)]);
  for (const entry of signature === '' ? [] : signature.split('|')) {
    const colon = entry.indexOf(':');
    members.push([entry.slice(0, colon), JSON.stringify(entry.slice(colon + 1))]);
  }
  const lines = members.map(([key, literal]) => ` ${JSON.stringify(key)}: ${literal}`);
  return `{\n${lines.join(',\n')}\n}`;
}
