import { readFileSync } from 'node:fs';
import * as path from 'node:path';
import { packageRoot } from '../src/common/files.js';

/** A command line of docs/paper.md. */
export interface PageCommand {
  /** As it is printed. */
  readonly line: string;
  /** The headings that it stands under, the last of each level. */
  readonly headings: readonly string[];
  /** What it leaves in the work folder: the value of its `-o` or `--output`; without one, its name (`train`). */
  readonly output: string;
}

export interface Page {
  /** In their order. */
  readonly commands: readonly PageCommand[];
  /** The page with single spaces for all white space and for the lines of its tables. */
  readonly text: string;
}

/** A quotation of the page, with braces around the figures that are compared. */
export interface Quotation {
  /** As it stands on the page. */
  readonly text: string;
  readonly figures: readonly PrintedFigure[];
}

export interface PrintedFigure {
  /** As it is printed. */
  readonly printed: string;
  readonly value: number;
  /** Half a unit of the last digit that is printed. */
  readonly rounding: number;
}

export function readPage(): Page {
  const source = readFileSync(path.join(packageRoot(), 'docs', 'paper.md'), 'utf8');
  return { commands: commandsOf(source), text: squeeze(source) };
}

/** The lines of all blocks of `sh`. */
export function commandsOf(source: string): PageCommand[] {
  const headings: string[] = [];
  return [...source.matchAll(/^(#+) (.*)$|^```sh\n([\s\S]*?)^```$/gm)].flatMap(([, level, title, block]) => {
    if (block === undefined) headings.splice(level.length - 1, headings.length, title);
    const lines = (block ?? '').split('\n').filter(Boolean);
    return lines.map((line) => ({ line, headings: headings.filter(Boolean), output: outputOf(line) }));
  });
}

function outputOf(line: string): string {
  const [, output] = / (?:-o|--output) (\S+)/.exec(line) ?? [];
  const [, name] = line.split(' ');
  return output ?? path.posix.basename(name);
}

/** One space for any white space: how a table is aligned and where a line breaks does not count. */
const squeeze = (text: string): string => text.replaceAll(/\s+/g, ' ');

/** @param text a piece of the page with `{5.6}` for 5.6 where that is a figure to compare; tables with single spaces */
export function readQuotation(text: string): Quotation {
  const figures = [...text.matchAll(/\{([^}]+)\}/g)].map(([, printed]) => {
    const number = printed.replace('−', '-').replaceAll(/(?<=\d) (?=\d{3})/g, '');
    const decimals = /\.(\d+)/.exec(number)?.[1].length ?? 0;
    const exponent = Number(/e(-?\d+)$/.exec(number)?.[1] ?? 0);
    return { printed, value: Number(number), rounding: 0.5 * 10 ** (exponent - decimals) };
  });
  return { text: text.replaceAll(/[{}]/g, ''), figures };
}
