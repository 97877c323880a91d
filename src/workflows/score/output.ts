import { floatLiteral, formatFixed } from '../../metrics/decimal.js';
import { formatInterval } from '../../metrics/format.js';
import { formatScore, formatScores, type PairedResult, type Signature } from '../../metrics/sacrebleu.js';
import { formatTable, TABLE_FORMATS, type TableFormat } from '../../report/score-table.js';

export interface OutputOptions {
  /** json, or one of TABLE_FORMATS. */
  format: string;
  /** Print the number alone. */
  scoreOnly: boolean;
  /** Decimals of a score. */
  width: number;
  shortSignature: boolean;
  /** Bring out in colours, for a terminal. */
  coloured?: boolean;
}

export const FORMATS = ['json', ...TABLE_FORMATS];

/** One metric over all systems. */
export interface Column {
  name: string;
  signature: Signature;
  /** One for each system, the baseline first. */
  results: readonly (PairedResult & { verbose?: string })[];
}

/** What a paired test was. */
export interface TestKind {
  type: 'bs' | 'ar';
  samples: number;
}

/** Scores of one system, as sacreBLEU prints them. */
export function formatSystem(columns: readonly Column[], options: OutputOptions): string {
  const { format, width, scoreOnly, shortSignature } = options;
  const json = format === 'json';
  const lines = columns.map(({ name, signature, results: [{ score, verbose = '', confidence }] }) =>
    formatScore(
      { name, score, verbose, confidence },
      { width, scoreOnly, json, signature: signature.format(shortSignature && !json) },
    ),
  );
  return formatScores(lines, json);
}

/** A table of several systems with the signatures below, or JSON, as sacreBLEU prints them. */
export function formatSystems(
  systems: readonly string[],
  columns: readonly Column[],
  options: OutputOptions,
  test?: TestKind,
): string {
  if (options.format === 'json') return formatJson(systems, columns, options, test !== undefined);
  const format = options.format as TableFormat;
  const colour = painter(options.coloured === true);
  const isBootstrap = test?.type === 'bs';
  const header = ['System', ...columns.map(({ name }) => (isBootstrap ? `${name} (μ ± 95% CI)` : name))];
  const rows = systems.map((system, i) => [
    test !== undefined && i === 0 ? colour(system, YELLOW) : system,
    ...columns.map(({ results }) => {
      const cell = formatCell(results[i], options.width, format === 'text' ? '\n' : ' ', colour);
      return test !== undefined && i === 0 ? colour(cell, YELLOW) : cell;
    }),
  ]);
  const parts = [
    formatTable(
      header.map((name) => colour(name, CYAN)),
      rows,
      format,
    ),
    '',
    ...(test === undefined ? [] : explainTest(systems[0], test)),
    ...underlined('Metric signatures'),
    ...columns.map(
      ({ name, signature }) => ` - ${name.padEnd(10)} ${signature.format(options.shortSignature)}`,
    ),
  ];
  return parts.join('\n');
}

function formatCell(result: PairedResult, width: number, gap: string, colour: Painter): string {
  const { score, confidence, pValue, finding } = result;
  let cell = formatFixed(score, width);
  if (confidence !== undefined) cell += ` (${formatInterval(confidence, width)})`;
  if (pValue !== undefined) {
    const remark = finding === 'same text' || finding === 'same counts' ? `, ${finding}` : '';
    const text = `(p = ${formatFixed(pValue, 4)}${remark})`;
    cell += gap + (finding === 'differs' ? `${text}*` : colour(text, RED));
  }
  return cell;
}

function explainTest(baseline: string, { type, samples }: TestKind): string[] {
  const [name, unit] =
    type === 'bs' ? ['bootstrap resampling', 'resampling trials'] : ['approximate randomization', 'trials'];
  return [
    ...underlined(`Paired ${name} test with ${samples} ${unit}`),
    ` - Every system is compared with ${baseline}.`,
    type === 'bs'
      ? '   A cell holds the score, then the mean of the resamples and half the width of their 95% interval.'
      : '   A cell holds the score.',
    ' - p is about the probability of a larger difference than this one if the two systems are alike.',
    ' - * marks a difference that chance hardly makes: p is at most 0.05, also when trials with just this difference count,',
    '   and six lines or more differ (of fewer, a coin makes as one-sided a result). It does not say that it matters.',
    ' - p says nothing where a system has the text of the baseline ("same text"), or another text every line of which counts',
    '   the same ("same counts").',
    '',
  ];
}

function underlined(title: string): string[] {
  const line = '-'.repeat(title.length);
  return [line, title, line];
}

/** Python's json.dumps(…, indent=4): a score is a string without a test, and with one an object of exact numbers. */
function formatJson(
  systems: readonly string[],
  columns: readonly Column[],
  { width }: OutputOptions,
  tested: boolean,
): string {
  const entries = systems.map((system, i) => {
    const members = columns.map(({ name, results }) => {
      const value = tested ? jsonResult(results[i]) : JSON.stringify(formatFixed(results[i].score, width));
      return `        ${jsonString(name)}: ${value}`;
    });
    return `    {\n${[`        "system": ${jsonString(system)}`, ...members].join(',\n')}\n    }`;
  });
  return `[\n${entries.join(',\n')}\n]`;
}

function jsonResult({ score, pValue, confidence, finding }: PairedResult): string {
  const numbers: [string, number | undefined][] = [
    ['score', score],
    ['p_value', pValue],
    ['mean', confidence?.mean],
    ['ci', confidence?.interval],
  ];
  const literals = numbers.map(([key, value]) => [key, value === undefined ? 'null' : floatLiteral(value)]);
  const members = [...literals, ['finding', JSON.stringify(finding ?? null)]];
  const lines = members.map(([key, literal]) => `            "${key}": ${literal}`);
  return `{\n${lines.join(',\n')}\n        }`;
}

function jsonString(text: string): string {
  return JSON.stringify(text).replaceAll(
    /[^\x20-\x7e]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

const [RED, YELLOW, CYAN] = [31, 33, 36];
type Painter = (text: string, colour: number) => string;

function painter(coloured: boolean): Painter {
  return (text, colour) =>
    !coloured
      ? text
      : text
          .split('\n')
          .map((line) => `\x1b[${colour}m${line}\x1b[39m`)
          .join('\n');
}
