import { UserError } from '../common/errors.js';
import { readFileBounded } from '../common/file-input.js';

const MOST_BYTES = 2 ** 26;

/** What phrases of the source are to be in the translation. */
export class Terminology {
  private readonly terms: ReadonlyMap<string, string>;
  private readonly pattern: RegExp;

  /** @param terms target phrases by source phrases */
  constructor(terms: ReadonlyMap<string, string>) {
    this.terms = terms;
    // Of terms that begin at one place the longest counts, and none begins or ends within a word.
    const sources = [...terms.keys()].sort((a, b) => b.length - a.length).map(quoted);
    const any = sources.length > 0 ? `(?:${sources.join('|')})` : '(?!)';
    this.pattern = new RegExp(`(?<![\\p{L}\\p{N}_])${any}(?![\\p{L}\\p{N}_])`, 'gu');
  }

  /**
   * Reads lines of a source phrase, a tab and a target phrase; blank ones and those that begin with # are passed over.
   *
   * @throws UserError with `file:line` for any other line, and for a phrase that has two translations
   */
  static load(file: string): Terminology {
    const terms = new Map<string, string>();
    const lines = readFileBounded(file, 'a terminology', MOST_BYTES)
      .toString('utf8')
      .replace(/^\ufeff/, '')
      .split('\n');
    lines.forEach((line, i) => {
      if (line.trim() === '' || line.startsWith('#')) return;
      const where = `${file}:${i + 1}`;
      const [source, target, ...more] = line.split('\t').map((phrase) => phrase.trim());
      if (!source || !target || more.length > 0)
        throw new UserError({
          problem: `expected a source phrase, a tab and a target phrase, found '${line.slice(0, 60)}'`,
          where,
        });
      const other = terms.get(source);
      if (other !== undefined && other !== target)
        throw new UserError({
          problem: `expected one translation of '${source}', found '${other}' and '${target}'`,
          where,
        });
      terms.set(source, target);
    });
    return new Terminology(terms);
  }

  /** The target phrases of what stands in a line. */
  phrasesFor(line: string): string[] {
    return Array.from(line.matchAll(this.pattern), ([found]) => this.terms.get(found)!);
  }
}

const quoted = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&');
