import { Metric, type Score } from './metric.js';
import { exact, type Rounding } from './rounding.js';
import { Signature } from './signature.js';
import { EditCounter } from './ter-edits.js';
import { type TercomOptions, tercomTokenizer } from './tokenizers/tercom.js';
import type { Tokenize } from './tokenizers/tokenizer.js';

export type TerOptions = TercomOptions;

export interface TerScore extends Score {
  readonly name: 'TER';
  /** Insertions, deletions, substitutions and shifts. */
  readonly numEdits: number;
  /** Length of the references in tokens; of the several ones of a segment, their mean. */
  readonly refLength: number;
}

/**
 * Translation edit rate (Snover et al., 2006), equal to sacreBLEU's (its metrics/ter.py): the edits that turn the
 * hypotheses into references, in percent of the length of the references. Lower is better.
 */
export class TER extends Metric<TerScore> {
  readonly name = 'TER';
  private readonly options: TerOptions;
  private readonly tokenize: Tokenize;
  /** sacreBLEU tokenizes references twice, which tells where normalizing leaves something to normalize (`.,5`). */
  private readonly tokenizeReference: Tokenize;
  private readonly counter = new EditCounter();

  constructor(options: TerOptions = {}) {
    super();
    this.options = options;
    const tokenize = tercomTokenizer(options);
    this.tokenize = tokenize;
    this.tokenizeReference = options.normalized ? (line) => tokenize(tokenize(line).join(' ')) : tokenize;
  }

  /** Edits to the reference that needs the fewest, and the mean length of the references. */
  override extractStatistics(hypothesis: string, references: readonly string[]): number[] {
    const hypothesisTokens = this.tokenize(hypothesis);
    let fewest = Infinity;
    let length = 0;
    for (const reference of references) {
      const tokens = this.tokenizeReference(reference);
      fewest = Math.min(fewest, this.counter.count(hypothesisTokens, tokens));
      length += tokens.length;
    }
    return [fewest, length / references.length];
  }

  override scoreStatistics(statistics: ArrayLike<number>): TerScore {
    const [edits, refLength] = [statistics[0], statistics[1]];
    const score = this.rawScore(statistics);
    return { name: 'TER', score, verbose: '', numEdits: Math.trunc(edits), refLength };
  }

  override rawScore(statistics: ArrayLike<number>, round: Rounding = exact): number {
    const [edits, refLength] = [statistics[0], statistics[1]];
    const rate = refLength > 0 ? round(edits / refLength) : edits > 0 ? 1 : 0;
    return round(100 * rate);
  }

  override isSingle(): boolean {
    return true;
  }

  protected override buildSignature(referenceCount: number | 'var'): Signature {
    const { normalized, noPunct, asianSupport, caseSensitive } = this.options;
    return new Signature(referenceCount, [
      { key: 'case', short: 'c', value: caseSensitive ? 'mixed' : 'lc' },
      { key: 'tok', short: 't', value: 'tercom' },
      { key: 'norm', short: 'nr', value: normalized ? 'yes' : 'no' },
      { key: 'punct', short: 'pn', value: noPunct ? 'no' : 'yes' },
      { key: 'asian', short: 'as', value: asianSupport ? 'yes' : 'no' },
    ]);
  }
}
