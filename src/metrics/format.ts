import { floatLiteral, formatFixed } from './decimal.js';
import type { Score } from './metric.js';
import type { Confidence } from './significance.js';

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
  if (json && !scoreOnly) return formatJson(score, width, signature);
  const confidence = formatConfidence(score, width);
  const number = `${formatFixed(score.score, width)}${confidence && ` (${confidence})`}`;
  if (scoreOnly) return number;
  const head = signature === '' ? score.name : `${score.name}|${signature}`;
  return `${head} = ${number}${score.verbose && ` ${score.verbose}`}`;
}

/** `μ = 36.3 ± 1.3`; nothing where there is none (or a mean of 0, which sacreBLEU does not print). */
function formatConfidence({ confidence }: Score, width: number): string {
  if (confidence === undefined || confidence.mean <= 0) return '';
  return `μ = ${formatInterval(confidence, width)}`;
}

/** `36.3 ± 1.3` */
export function formatInterval({ mean, interval }: Confidence, width: number): string {
  return `${formatFixed(mean, width)} ± ${formatFixed(interval, width)}`;
}

/** Several scores of one corpus: one JSON object or an array of them, or lines aligned at the equals sign. */
export function formatScores(formatted: readonly string[], json: boolean): string {
  if (formatted.length === 1) return formatted[0];
  if (json) return `[\n${formatted.join(',\n')}\n]`;
  const signs = formatted.map((line) => line.indexOf(' ='));
  const widest = Math.max(...signs);
  return formatted.map((line, i) => (signs[i] < 0 ? line : ' '.repeat(widest - signs[i]) + line)).join('\n');
}

function formatJson(score: Score, width: number, signature: string): string {
  // Written by hand for the numbers: Python prints 100.0 where JavaScript prints 100.
  const literal = (value: number) => floatLiteral(Number(formatFixed(value, width)));
  const members: [key: string, literal: string][] = [
    ['name', JSON.stringify(score.name)],
    ['score', literal(score.score)],
    ['signature', JSON.stringify(signature)],
  ];
  const confidence = formatConfidence(score, width);
  if (confidence !== '' && score.confidence !== undefined) {
    members.push(
      ['confidence_mean', literal(score.confidence.mean)],
      ['confidence_var', literal(score.confidence.interval)],
      ['confidence', JSON.stringify(confidence)],
    );
  }
  if (score.verbose) members.push(['verbose_score', JSON.stringify(score.verbose)]);
  for (const entry of signature === '' ? [] : signature.split('|')) {
    const colon = entry.indexOf(':');
    members.push([entry.slice(0, colon), JSON.stringify(entry.slice(colon + 1))]);
  }
  const lines = members.map(([key, value]) => ` ${JSON.stringify(key)}: ${value}`);
  return `{\n${lines.join(',\n')}\n}`;
}
