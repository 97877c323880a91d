import { UserError } from '../common/errors.js';
import type { GivenTarget, GivenUnit } from './forced-scores.js';

/** A line of a list of translations, and where it stands: `file:line`. */
export interface ListLine {
  text: string;
  where: string;
}

/** How text and tokens become ids. */
export interface ListCodec {
  encode(text: string): Int32Array;
  encodeTarget(text: string): Int32Array;
  targetIds(tokens: readonly string[], unknown: (token: string) => never): Int32Array;
}

export interface ListOptions {
  /** What the score is called where it is written. */
  feature: string;
  /** The same in JSON. */
  field: string;
  /** Whether tokens are scored as they stand, and not the text. */
  tokens: boolean;
  /** Of the scores of fairseq; null where scores are no log-probabilities: they are then written as they are, and those of tokens stay. */
  lenpen: number | null;
}

/** A way to write translations of many sentences: line by line it becomes units. */
export interface GivenList {
  /** The units that are complete with this line. */
  line(line: ListLine): Promise<GivenUnit[]>;
  /** What is left at the end. */
  end(): GivenUnit[];
}

/** What all of them have. */
export abstract class BaseList<Source extends Sources | null = Sources> implements GivenList {
  protected readonly source: Source;
  protected readonly codec: ListCodec;
  protected readonly options: ListOptions;

  constructor(source: Source, codec: ListCodec, options: ListOptions) {
    this.source = source;
    this.codec = codec;
    this.options = options;
  }

  abstract line(line: ListLine): Promise<GivenUnit[]>;

  end(): GivenUnit[] {
    return [];
  }
}

/** The sources of the translations of a list, by numbers that must not fall. */
export interface Sources {
  /**
   * @param number of the line, from 0
   * @param where names it in errors
   * @param first number of the first line as the list counts
   * @returns ids
   */
  at(number: number, where: string, first?: number): Promise<Int32Array>;
}

/** Where sources are not asked for: their order alone. */
export class SentenceOrder implements Sources {
  protected number = -1;

  async at(number: number, where: string, first = 0): Promise<Int32Array> {
    if (number < this.number)
      throw new UserError({
        problem: `expected translations in the order of their sentences, found one of sentence ${number + first} after those of ${this.number + first}`,
        where,
        hint: 'Sort the list by its numbers, with the order within a sentence kept: sort -s -n -k1,1 for N ||| …; sort -s -t- -k2,2n for H-N.',
      });
    this.number = number;
    return NO_IDS;
  }
}

const NO_IDS = new Int32Array(0);

/** Lines of a text. */
export class SourceInOrder extends SentenceOrder {
  private readonly lines: AsyncIterator<string>;
  private readonly encode: (text: string) => Int32Array;
  private ids: Int32Array | undefined;

  constructor(lines: AsyncIterable<string>, encode: (text: string) => Int32Array) {
    super();
    this.lines = lines[Symbol.asyncIterator]();
    this.encode = encode;
  }

  override async at(number: number, where: string, first = 0): Promise<Int32Array> {
    let read = this.number;
    await super.at(number, where, first);
    let line = '';
    while (read < number) {
      const next = await this.lines.next();
      if (next.done === true)
        throw new UserError({
          problem: `found a translation of sentence ${number + first}; the source ends with sentence ${read + first}`,
          where,
          hint: `Give the source that the list was made from; sentences count from ${first} here.`,
        });
      read++;
      this.ids = undefined;
      line = next.value;
    }
    this.ids ??= this.encode(line);
    return this.ids;
  }
}

/** The translation that a line has, as its text or as the tokens that it is parted in by spaces. */
export function givenTarget(
  text: string,
  tokens: readonly string[] | undefined,
  codec: ListCodec,
  where: string,
): GivenTarget {
  if (tokens === undefined) return { text, ids: codec.encodeTarget(text) };
  const unknown = (token: string): never => {
    throw new UserError({
      problem: `expected tokens of the model, found '${token}', which its dictionary lacks`,
      where,
      hint: 'Leave --tokens out: the text is then segmented as the model has it.',
    });
  };
  return { text, ids: codec.targetIds(tokens, unknown) };
}

/** What is no list of translations. */
export function notAList({ where }: ListLine, found: string): UserError {
  return new UserError({
    problem: `expected a list of translations, found ${found}`,
    where,
    hint: 'Formats are N ||| translation ||| features ||| score (Moses, Marian), the H- and D- lines of fairseq-generate, and the output of translate --format jsonl.',
  });
}

/** The beginning of a line, for an error. */
export const shownLine = (text: string): string =>
  text.trim() === '' ? 'a blank line' : `'${text.slice(0, 60)}'`;
