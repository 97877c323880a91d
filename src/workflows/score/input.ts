import { UserError } from '../../common/errors.js';
import { readLineBlocks, STDIN } from '../../data/text-source.js';
import { stripEnd } from '../../metrics/python-text.js';

export interface ScoreInput {
  /** Files with references, plain or .gz. */
  references: readonly string[];
  /** References in each line of the one file with references, with tabs between; 1 where each has a file of its own. */
  referencesPerLine: number;
  /** A file for each system; empty for standard input, where tabs stand between systems. */
  systems: readonly string[];
  /** What was translated, for those who look at single lines. */
  source?: string;
}

/** One line of everything. */
export interface Segment {
  source?: string;
  references: string[];
  /** One for each system. */
  hypotheses: string[];
}

/** A file that is read in step with others. */
class LineReader {
  readonly name: string;
  /** Lines taken so far. */
  line = 0;
  private readonly blocks: AsyncGenerator<string[], void, void>;
  private block: string[] = [];
  private next = 0;

  constructor(file: string) {
    this.name = file === STDIN ? 'standard input' : file;
    this.blocks = readLineBlocks(file, { keepMark: true });
  }

  /** Lines at hand, after reading where there are none; 0 at the end. */
  async available(): Promise<number> {
    while (this.next === this.block.length) {
      const { done, value } = await this.blocks.next();
      if (done) return 0;
      [this.block, this.next] = [value, 0];
    }
    return this.block.length - this.next;
  }

  take(): string {
    this.line++;
    return this.block[this.next++];
  }

  /** Reads to the end. @returns the lines of the whole file */
  async countLines(): Promise<number> {
    for (let left = await this.available(); left > 0; left = await this.available()) {
      this.line += left;
      this.next += left;
    }
    return this.line;
  }

  async close(): Promise<void> {
    await this.blocks.return();
  }
}

/**
 * Walks all files in step, many lines at a time; only those are in memory. Lines are as sacreBLEU reads them: without white
 * space at their end, a byte order mark left in.
 *
 * @throws UserError for files that are missing, not UTF-8, empty or of unequal length, and lines with another number of columns
 */
export async function* readSegments(input: ScoreInput): AsyncGenerator<Segment[], void, void> {
  checkFiles(input);
  const references = input.references.map((file) => new LineReader(file));
  const systems = (input.systems.length === 0 ? [STDIN] : input.systems).map((file) => new LineReader(file));
  const source = input.source === undefined ? undefined : new LineReader(input.source);
  const readers = [...systems, ...references, ...(source === undefined ? [] : [source])];
  const columns = { systems: input.systems.length === 0 ? undefined : 1 } as { systems?: number };
  try {
    for (;;) {
      const available = await Promise.all(readers.map((reader) => reader.available()));
      const count = Math.min(...available);
      if (count === 0) return await checkCounts(readers);
      const segments: Segment[] = [];
      for (let i = 0; i < count; i++) {
        segments.push({
          ...(source === undefined ? {} : { source: stripEnd(source.take()) }),
          references: references.flatMap((reader) => cut(reader, input.referencesPerLine, true)),
          hypotheses: systems.flatMap((reader) => {
            const fields = cut(reader, columns.systems, false);
            columns.systems ??= fields.length;
            return fields;
          }),
        });
      }
      yield segments;
    }
  } finally {
    await Promise.allSettled(readers.map((reader) => reader.close()));
  }
}

/**
 * The columns of the next line.
 *
 * @param expected how many there must be; undefined takes as many as there are
 * @param restIsLast whether further tabs belong to the last column
 */
function cut(reader: LineReader, expected: number | undefined, restIsLast: boolean): string[] {
  const raw = reader.take();
  const line = stripEnd(raw);
  if (expected === 1 && (restIsLast || reader.name !== 'standard input')) return [line];
  let fields = line.split('\t');
  // White space at the end is no column of its own, unless the last columns are empty.
  if (expected !== undefined && fields.length < expected) fields = raw.split('\t');
  if (expected !== undefined && fields.length > expected && restIsLast) {
    fields = [...fields.slice(0, expected - 1), fields.slice(expected - 1).join('\t')];
  }
  if (expected !== undefined && fields.length !== expected) {
    throw new UserError({
      problem: `expected ${expected} column${expected === 1 ? '' : 's'} with tabs between, found ${fields.length}`,
      where: `${reader.name}:${reader.line}`,
      hint: restIsLast
        ? '--num-refs tells how many references each line has.'
        : 'On standard input a tab begins the next system; remove tabs from the text, or give each system a file with --input.',
    });
  }
  return fields.map(stripEnd);
}

async function checkCounts(readers: readonly LineReader[]): Promise<void> {
  const counts = await Promise.all(readers.map((reader) => reader.countLines()));
  if (new Set(counts).size > 1) {
    const found = readers.map(({ name }, i) => `${counts[i]} in ${name}`).join(', ');
    throw new UserError({
      problem: `expected as many lines in every file, found ${found}`,
      hint: 'Line i of the hypotheses is compared with line i of each reference; look for a lost or an extra line.',
    });
  }
  if (counts[0] === 0) {
    throw new UserError({
      problem: 'expected at least one line to score, found none',
      where: readers[0].name,
      hint: 'The hypotheses and the references are empty; check that the step before wrote them.',
    });
  }
}

function checkFiles({ references, systems, referencesPerLine, source }: ScoreInput): void {
  if (references.length === 0) {
    throw new UserError({
      problem: 'expected at least one file with references, found none',
      hint: 'Name the references first and the hypotheses with --input: admin-nmt score ref.txt --input hyp.txt',
    });
  }
  const files = [...references, ...(systems.length === 0 ? [STDIN] : systems), source];
  const fromStdin = files.filter((file) => file === STDIN);
  if (fromStdin.length > 1) {
    throw new UserError({
      problem: `standard input can be read once, but ${fromStdin.length} files are '-'`,
      hint: 'Give the hypotheses with --input FILE, or the references as files.',
    });
  }
  const twice = systems.find((file, i) => systems.indexOf(file) !== i);
  if (twice !== undefined) {
    throw new UserError({
      problem: `expected systems of different names, found '${twice}' twice`,
      where: '--input',
      hint: 'A table of results could not tell them apart.',
    });
  }
  if (!Number.isInteger(referencesPerLine) || referencesPerLine < 1) {
    throw new UserError({
      problem: `expected a number of references of 1 or more, found ${referencesPerLine}`,
      where: '--num-refs',
    });
  }
  if (referencesPerLine > 1 && references.length > 1) {
    throw new UserError({
      problem: `expected one file of ${referencesPerLine} references a line, found ${references.length} files`,
      where: '--num-refs',
      hint: 'Give either one file with tabs between the references, or a file for each reference.',
    });
  }
}
