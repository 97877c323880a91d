import { EOS } from '../data/dictionary.js';
import { splitSource } from './ensemble.js';
import type { LineCodec, TextCodec } from './text-codec.js';

/** The codec of an ensemble: a line is the sources of all members, its translation is the first one's. */
export class EnsembleCodec implements LineCodec {
  private readonly members: readonly TextCodec[];
  private readonly first: TextCodec;

  /** @param members one for each, the same one where they read text alike */
  constructor(members: readonly TextCodec[]) {
    this.members = members;
    this.first = members[0];
  }

  /** Those that all members have. */
  get tags(): string[] {
    const [own, ...others] = this.members.map(({ tags }) => tags);
    return own.filter((tag) => others.every((tags) => tags.includes(tag)));
  }

  encode(...given: Parameters<TextCodec['encode']>): Int32Array {
    const parts = this.members.map((member) => member.encode(...given));
    if (parts[0].length === 0) return parts[0];
    return Int32Array.from(parts.flatMap((part) => (part.length === 0 ? [EOS] : [...part])));
  }

  fit(maxPositions: number, ids: Int32Array): Int32Array {
    const parts = splitSource(ids).map((part) => this.first.fit(maxPositions, part));
    return Int32Array.from(parts.flatMap((part) => [...part]));
  }

  encodeTarget(line: string): Int32Array {
    return this.first.encodeTarget(line);
  }

  targetIds(tokens: readonly string[], unknown: (token: string) => never): Int32Array {
    return this.first.targetIds(tokens, unknown);
  }

  spellings(...given: Parameters<TextCodec['spellings']>): ReturnType<TextCodec['spellings']> {
    return this.first.spellings(...given);
  }

  phrase(...given: Parameters<TextCodec['phrase']>): ReturnType<TextCodec['phrase']> {
    return this.first.phrase(...given);
  }

  decode(...given: Parameters<TextCodec['decode']>): string {
    return this.first.decode(...given);
  }

  sourcePieces(line: string): string[] {
    return this.first.sourcePieces(line);
  }

  sourceText(pieces: readonly string[]): string {
    return this.first.sourceText(pieces);
  }

  sourceTokens(ids: ArrayLike<number>): string[] {
    const own = Int32Array.from(ids);
    const end = own.indexOf(EOS);
    return this.first.sourceTokens(end === -1 ? own : own.subarray(0, end));
  }

  targetTokens(ids: ArrayLike<number>): string[] {
    return this.first.targetTokens(ids);
  }
}
