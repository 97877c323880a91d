import type { ContinuousSearch } from './continuous-search.js';
import type { LineCodec } from './text-codec.js';
import { describe, type Line } from './translate-lines.js';
import type { Translation } from './translation-format.js';

/** Translates lines for many at once, each as it comes. */
export class LineTranslator {
  readonly search: ContinuousSearch;
  private readonly codec: LineCodec;
  /** Most source tokens of a line; what is longer is cut. */
  readonly maxPositions: number;

  constructor(search: ContinuousSearch, codec: LineCodec, maxPositions: number) {
    this.search = search;
    this.codec = codec;
    this.maxPositions = maxPositions;
  }

  /** Source tokens of a line, `</s>` counted; none of a blank one. */
  tokensOf(text: string): number {
    return this.codec.encode(text).length;
  }

  /** @param signal drops it, where it is not begun */
  async translate(text: string, signal?: AbortSignal): Promise<Translation> {
    const line: Line = { index: 0, text, ids: this.codec.fit(this.maxPositions, this.codec.encode(text)) };
    return describe(
      line,
      line.ids.length === 0 ? undefined : await this.search.search(line.ids, signal),
      this.codec,
    );
  }
}
