import { splitWords } from './python-text.js';

/** Characters that tokenizers and web pages write as entities. */
const ENTITY = /&(?:quot|amp|lt|gt|apos|nbsp|#\d+|#x[0-9a-f]+);/i;
const UPPER = /\p{Lu}/u;
const LOWER = /\p{Ll}/u;

/** Lines that look wrong before they are worth a warning. */
const FEW = 10;
/** Hypotheses in a row that are compared with the references beside their own. */
const WINDOW = 25;
/** How many of them must be nearer to the reference beside. */
const SHIFTED = 20;
/** Neighbours are compared in the first lines; after them in a window of every so many lines, since a shift goes on. */
const ALWAYS = 2000;
const PERIOD = 500;

interface Segment {
  hypothesis: ReadonlySet<string>;
  reference: ReadonlySet<string>;
}

/** Looks at a corpus as it goes by for mistakes that make a score wrong without making it fail. */
export class CorpusChecks {
  private readonly ignoreCase: boolean;
  private lines = 0;
  private entities = 0;
  private referenceEntities = 0;
  private lettered = 0;
  private cased = 0;
  private referenceCased = 0;
  private readonly recent: Segment[] = [];
  /** Of each offset how many of the last hypotheses in a row were nearer to the reference there, and where it was seen. */
  private readonly shifts = [-1, 1].map((offset) => ({ offset, nearer: [] as boolean[], line: 0 }));

  /** @param ignoreCase whether the score does */
  constructor(ignoreCase: boolean) {
    this.ignoreCase = ignoreCase;
  }

  /** Sees the next segment, by its first reference. */
  add(hypothesis: string, reference: string): void {
    this.lines++;
    if (ENTITY.test(hypothesis)) this.entities++;
    if (ENTITY.test(reference)) this.referenceEntities++;
    const cased = UPPER.test(hypothesis);
    if (cased) this.cased++;
    if (cased || LOWER.test(hypothesis)) this.lettered++;
    if (UPPER.test(reference)) this.referenceCased++;
    this.compareNeighbours(hypothesis, reference);
  }

  /** What should be looked at; empty where nothing is suspicious. */
  warnings(): string[] {
    const found: string[] = [];
    const { lines, entities, referenceEntities, lettered, cased, referenceCased } = this;
    if (entities >= FEW && entities > 2 * referenceEntities) {
      found.push(
        `${entities} of ${lines} hypotheses hold escaped characters such as '&quot;' or '&#39;', ${referenceEntities} references do. ` +
          'Was the output escaped by a tokenizer and not unescaped again?',
      );
    }
    const casedReferences = referenceCased >= FEW && referenceCased > lines / 2;
    if (!this.ignoreCase && casedReferences && lettered >= FEW && cased < lettered / 20) {
      found.push(
        `${cased} of ${lettered} hypotheses hold capital letters, ${referenceCased} references do. ` +
          'Is the output lower-cased? --lowercase compares without case; the signature then says so.',
      );
    }
    for (const { offset, line } of this.shifts) {
      if (line === 0) continue;
      found.push(
        `about line ${line} hypotheses fit the reference one line ${offset < 0 ? 'before' : 'after'} better than their own. ` +
          'Has a line been lost or added, or are the lines in another order?',
      );
    }
    return found;
  }

  private compareNeighbours(hypothesis: string, reference: string): void {
    if (this.lines > ALWAYS && this.lines % PERIOD > WINDOW + 2) {
      this.recent.length = 0;
      for (const shift of this.shifts) shift.nearer.length = 0;
      return;
    }
    const segment = {
      hypothesis: new Set(splitWords(hypothesis)),
      reference: new Set(splitWords(reference)),
    };
    this.recent.push(segment);
    if (this.recent.length < 3) return;
    const [before, here, after] = this.recent;
    const own = overlap(here.hypothesis, here.reference);
    for (const shift of this.shifts) {
      const other = (shift.offset < 0 ? before : after).reference;
      shift.nearer.push(overlap(here.hypothesis, other) > own);
      if (shift.nearer.length > WINDOW) shift.nearer.shift();
      if (shift.line === 0 && shift.nearer.filter(Boolean).length >= SHIFTED) {
        shift.line = this.lines - shift.nearer.length + shift.nearer.indexOf(true);
      }
    }
    this.recent.shift();
  }
}

/** Words in both, over the words in either (Jaccard). */
function overlap(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  let common = 0;
  for (const word of a) if (b.has(word)) common++;
  return common / (a.size + b.size - common || 1);
}
