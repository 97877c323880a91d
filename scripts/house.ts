import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { packageRoot, writeFileAtomic } from '../src/common/files.js';

/**
 * npm run house: draws the floors of src at the top of docs/architecture.md. test/architecture.test.ts reads the same facts, and
 * compares the drawing with the tree.
 */

/** The rooms by floor, the lowest first: a file imports only from its own room or from a lower floor. */
export const FLOORS: readonly (readonly string[])[] = [
  ['common'],
  ['config', 'tokenizer', 'data', 'metrics', 'formats', 'report'],
  ['ops', 'backend'],
  ['model'],
  ['train', 'decode', 'analysis', 'distributed'],
  ['workflows'],
  ['library'],
  ['cli'],
];

export interface Import {
  from: string;
  specifier: string;
  typeOnly: boolean;
  /** `import()`, which loads nothing until it is reached. */
  dynamic: boolean;
}

const source = path.join(packageRoot(), 'src');

/** The files of src, by their path in it. */
export const files: readonly string[] = readdirSync(source, { recursive: true, encoding: 'utf8' })
  .map((file) => file.split(path.sep).join('/'))
  .filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'));

export const textOf = (file: string): string => readFileSync(path.join(source, file), 'utf8');

export const imports: readonly Import[] = files.flatMap(importsOf);

function importsOf(file: string): Import[] {
  const statement =
    /^\s*(?:import|export)\s+(type\s)?[^;'"]*?from\s*['"]([^'"]+)['"]|^\s*import\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/gm;
  return [...textOf(file).matchAll(statement)].map(([, type, a, b, c]) => ({
    from: file,
    specifier: a ?? b ?? c,
    typeOnly: type !== undefined,
    dynamic: c !== undefined,
  }));
}

/** The room of a file; `(entry)` is src/index.ts, above all floors. */
export const room = (file: string): string =>
  file.includes('/') ? file.slice(0, file.indexOf('/')) : '(entry)';

/** The floor of a room, from 0; −1 where it has none. */
export const floor = (name: string): number =>
  name === '(entry)' ? FLOORS.length : FLOORS.findIndex((rooms) => rooms.includes(name));

/** The file that a relative import names. */
export const resolve = ({ from, specifier }: Import): string =>
  path.posix.join(path.posix.dirname(from), specifier).replace(/\.js$/, '.ts');

const DOCUMENT = path.join(packageRoot(), 'docs', 'architecture.md');
const [BEGIN, END] = ['<!-- npm run house -->\n', '<!-- end of the drawing -->\n'];

/** The floors as a table: how much there is in a room, and of which others it knows. */
export function drawing(): string {
  const rows = FLOORS.flatMap((rooms, i) => rooms.map((name) => rowOf(name, i))).reverse();
  const head = ['floor', 'room', 'files', 'lines', 'imports'];
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i].length)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i])).join(' | ')} |`;
  return [line(head), `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...rows.map(line)].join(
    '\n',
  );
}

/** Lines in hundreds: what changes every day is no structure. */
function rowOf(name: string, onFloor: number): string[] {
  const own = files.filter((file) => room(file) === name);
  const lines = own.reduce((sum, file) => sum + textOf(file).split('\n').length - 1, 0);
  const known = imports
    .filter(({ from, specifier }) => room(from) === name && specifier.startsWith('.'))
    .map((entry) => room(resolve(entry)))
    .filter((other) => other !== name);
  const sorted = [...new Set(known)].sort((a, b) => floor(b) - floor(a) || (a < b ? -1 : 1));
  const hundreds = lines < 100 ? '< 100' : `${Math.round(lines / 100)}00`;
  return [`${onFloor}`, `\`src/${name}\``, `${own.length}`, hundreds, sorted.join(', ')];
}

/** The drawing as the document has it. */
export function drawn(): string {
  const text = readFileSync(DOCUMENT, 'utf8');
  return text.slice(text.indexOf(BEGIN) + BEGIN.length, text.indexOf(END)).trim();
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const text = readFileSync(DOCUMENT, 'utf8');
  const [before, after] = [text.slice(0, text.indexOf(BEGIN)), text.slice(text.indexOf(END))];
  writeFileAtomic(DOCUMENT, `${before}${BEGIN}\n${drawing()}\n\n${after}`);
}
