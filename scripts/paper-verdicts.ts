import { existsSync, readFileSync } from 'node:fs';
import * as path from 'node:path';
import { type PrintedFigure, readQuotation } from './paper-page.js';
import { EXACT, type Reading } from './paper-readings.js';
import type { Passage } from './paper-rows.js';

/** What became of a figure of the page. */
export interface Verdict {
  readonly quotation: string;
  readonly printed: string;
  readonly verdict: 'within' | 'outside' | 'not compared';
  /** Null where it was not compared. */
  readonly found: number | null;
  /** Where it was read, how far off it may be and why, or why it was not compared. */
  readonly note: string;
}

/** How far apart two figures may be. */
function allowed(
  { value, rounding }: PrintedFigure,
  { relative = 0, absolute = 0 }: Reading['tolerance'],
): number {
  return 1.0001 * rounding + absolute + relative * Math.abs(value);
}

/** The command that makes a file: `sgd` for `sgd/sweep.json`, `folded` for `folded.log`. */
export const makerOf = (file: string): string => file.split('/')[0].replace(/\.log$/, '');

/**
 * Compares the figures of passages with what commands have left.
 * @param folder the work folder
 * @param ended the outputs of the commands that have come to their end
 * @param exactOnly whether only figures are compared that hold for any text and width
 */
export function compareFigures(
  passages: readonly Passage[],
  folder: string,
  ended: ReadonlySet<string>,
  exactOnly: boolean,
): Verdict[] {
  const texts = new Map<string, string>();
  const textOf = (file: string): string => {
    if (!texts.has(file)) texts.set(file, readFileSync(path.join(folder, file), 'utf8'));
    return texts.get(file)!;
  };
  return passages.flatMap(({ quotation, readings }) =>
    readQuotation(quotation).figures.map((figure, i): Verdict => {
      const reading = readings[i];
      const { file, tolerance } = reading;
      const { printed } = figure;
      const skip = (note: string): Verdict => ({
        ...{ quotation, printed, verdict: 'not compared', found: null, note },
      });
      if (!ended.has(makerOf(file))) return skip(`the command that makes ${makerOf(file)} has not ended`);
      if (exactOnly && tolerance !== EXACT) return skip('the short form has other text and a smaller model');
      if (!existsSync(path.join(folder, file))) return skip(`${file} is not there`);
      const found = reading.read(textOf(file));
      if (typeof found !== 'number' || Number.isNaN(found)) return skip(`${file} does not have it`);
      const limit = allowed(figure, tolerance);
      const verdict = Math.abs(found - figure.value) <= limit ? 'within' : 'outside';
      const note = `${file}, ± ${Number(limit.toPrecision(2))}: ${tolerance.why}`;
      return { quotation, printed, verdict, found, note };
    }),
  );
}

/** Numbers as they are shown beside those of the page. */
const shown = (value: number): string => String(Number(value.toPrecision(4)));

/** A line for each passage, with the figures that are outside spelt out; then why how many were not compared. */
export function describe(verdicts: readonly Verdict[]): string[] {
  const compared = verdicts.filter(({ found }) => found !== null);
  const passages = [...new Set(compared.map(({ quotation }) => quotation))];
  const reasons = [...new Set(verdicts.filter(({ found }) => found === null).map(({ note }) => note))];
  return [
    ...passages.flatMap((quotation) => {
      const figures = verdicts.filter((verdict) => verdict.quotation === quotation);
      const outside = figures.filter(({ verdict }) => verdict === 'outside');
      const values = figures.map(({ found }) => (found === null ? '?' : shown(found)));
      return [
        `${outside.length > 0 ? 'outside' : 'within '}  ${quotation}  found ${values.join(', ')}`,
        ...outside.map(
          ({ printed, found, note }) => `         expected ${printed}, found ${found} (${note})`,
        ),
      ];
    }),
    ...reasons.map((reason) => {
      const count = verdicts.filter(({ note }) => note === reason).length;
      return `not compared: ${count} figures: ${reason}`;
    }),
  ];
}
