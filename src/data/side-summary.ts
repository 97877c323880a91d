import { UNK } from './dictionary.js';

/** What a manifest says of one side of a split. */
export interface SideSummary {
  /** Tokens, `</s>` not counted. */
  readonly tokens: number;
  /** Tokens that became `<unk>`. */
  readonly unknown: number;
  /** Share of the tokens that became `<unk>`. */
  readonly oovRate: number;
  /** Longest sentence in tokens. */
  readonly longest: number;
  /** Sentences by length in tokens: `10-19` → count; empty classes are left out. */
  readonly lengths: Readonly<Record<string, number>>;
}

const CLASS_WIDTH = 10;

/** Counts the tokens of one side of a split. */
export class SideCounter {
  private tokens = 0;
  private unknown = 0;
  private longest = 0;
  private readonly classes = new Map<number, number>();

  /** Counts the sentence ids[from], …, ids[to − 1], `</s>` left out. */
  add(ids: Int32Array, from: number, to: number): void {
    const length = to - from;
    this.tokens += length;
    for (let i = from; i < to; i++) if (ids[i] === UNK) this.unknown++;
    this.longest = Math.max(this.longest, length);
    const at = Math.floor(length / CLASS_WIDTH);
    this.classes.set(at, (this.classes.get(at) ?? 0) + 1);
  }

  summary(): SideSummary {
    const { tokens, unknown, longest } = this;
    const lengths = [...this.classes]
      .sort(([a], [b]) => a - b)
      .map(([at, count]) => [`${at * CLASS_WIDTH}-${(at + 1) * CLASS_WIDTH - 1}`, count]);
    return {
      tokens,
      unknown,
      oovRate: tokens === 0 ? 0 : unknown / tokens,
      longest,
      lengths: Object.fromEntries(lengths),
    };
  }
}
