import { UserError } from '../common/errors.js';
import { EOS } from '../data/dictionary.js';
import type { ContinuousSearch } from './continuous-search.js';
import { type LineRequest, lineName } from './line-request.js';
import type { MinimumRisk } from './minimum-risk.js';
import { greatestLength, isPlain, type SearchOptions, searchOptions, type Wishes } from './search-options.js';
import type { Terminology } from './terminology.js';
import type { LineCodec } from './text-codec.js';
import { describe, type Line, newLine } from './translate-lines.js';
import type { Translation } from './translation-format.js';

/** How lines are translated. */
export interface LineSearch extends SearchOptions {
  /** Ranks all hypotheses anew. */
  risk: MinimumRisk | null;
}

/** A line that is ready to be translated. */
export interface PreparedLine {
  readonly line: Line;
  readonly how: LineSearch;
  /** What the search has to heed; undefined where a plain beam finds it. */
  readonly wishes: Wishes | undefined;
}

/** Translates lines for many at once, each as it comes: those of a plain beam together, and those that wish for more. */
export class LineTranslator {
  /** How lines are translated that do not say it. */
  readonly how: LineSearch;
  private readonly plain: ContinuousSearch;
  private readonly openHeeding: () => ContinuousSearch;
  private readonly codec: LineCodec;
  private readonly terms: Terminology | null;
  private heeding: ContinuousSearch | undefined;

  /** @param open begins a search; the one that heeds wishes when one comes */
  constructor(
    open: (heeding: boolean) => ContinuousSearch,
    codec: LineCodec,
    how: LineSearch,
    terms: Terminology | null,
  ) {
    this.plain = open(false);
    this.openHeeding = () => open(true);
    this.codec = codec;
    this.how = how;
    this.terms = terms;
  }

  /** Most source tokens of a line; what is longer is cut. */
  get maxPositions(): number {
    return this.how.maxPositions;
  }

  /** Sentences, and their source tokens, that wait for a place in a batch. */
  get waiting(): number {
    return this.sum(({ waiting }) => waiting);
  }

  get waitingTokens(): number {
    return this.sum(({ waitingTokens }) => waitingTokens);
  }

  /** Sentences that are in a batch. */
  get running(): number {
    return this.sum(({ running }) => running);
  }

  /** What has ended the model; undefined while it lives. */
  get failure(): unknown {
    return this.plain.failure ?? this.heeding?.failure;
  }

  /** Source symbols in angle brackets, which are tags by all appearances. */
  get tags(): readonly string[] {
    return this.codec.tags;
  }

  /** Source tokens of a line, `</s>` and its tag counted; none of a blank one. @param tag in place of that of all lines */
  tokensOf(text: string, tag?: string): number {
    return this.codec.encode(text, tag).length;
  }

  /**
   * A line, with what is wished of it.
   *
   * @param index names it in errors, and is what its samples are drawn by
   * @throws UserError where that cannot be had
   */
  prepare(request: LineRequest, index: number, how: LineSearch = this.how): PreparedLine {
    const line = newLine(request, index, this.codec, { ...how, terms: this.terms });
    const { maxLen } = request;
    const most = greatestLength(how, line.ids.indexOf(EOS) + 1);
    if (maxLen !== undefined && maxLen > most)
      throw new UserError({
        problem: `expected maxLen of at most ${most} tokens, found ${maxLen}`,
        where: lineName(index),
      });
    if (line.wishes === undefined && how === this.how && isPlain(how))
      return { line, how, wishes: undefined };
    return { line, how, wishes: { ...(line.wishes ?? { line: index }), how: searchOptions(how) } };
  }

  /** @param signal drops it, where it is not begun */
  async translate({ line, how, wishes }: PreparedLine, signal?: AbortSignal): Promise<Translation> {
    const options = { ...how, nbest: Number.POSITIVE_INFINITY };
    if (line.ids.length === 0) return describe(line, undefined, this.codec, options);
    if (wishes !== undefined) this.heeding ??= this.openHeeding();
    const search = wishes === undefined ? this.plain : this.heeding!;
    return describe(line, await search.search(line.ids, signal, wishes), this.codec, options);
  }

  private sum(of: (search: ContinuousSearch) => number): number {
    return of(this.plain) + (this.heeding === undefined ? 0 : of(this.heeding));
  }
}
