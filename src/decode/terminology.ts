import { readPhrasePairs } from './phrase-pairs.js';

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

  /** @throws UserError, see `readPhrasePairs` */
  static load(file: string): Terminology {
    return new Terminology(readPhrasePairs(file, 'a terminology'));
  }

  /** The target phrases of what stands in a line. */
  phrasesFor(line: string): string[] {
    return Array.from(line.matchAll(this.pattern), ([found]) => this.terms.get(found)!);
  }
}

const quoted = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&');
