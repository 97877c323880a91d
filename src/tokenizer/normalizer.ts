import { CharsMap } from './charsmap.js';
import type { NormalizerSpec } from './model-file.js';
import { PieceTrie } from './piece-trie.js';

/** U+2581, which stands for a space inside of pieces. */
export const SPACE_SYMBOL = '\u2581';
const VISIBLE_ASCII = /^[!-~]+$/;

/** Brings text to the form that is segmented (normalizer.cc). Lone surrogates become U+FFFD. */
export class Normalizer {
  /**
   * True where the form of a line is that of its words, parted by spaces, one after the other. It then holds for
   * lines without U+2581.
   */
  readonly wordwise: boolean;
  private readonly spec: NormalizerSpec;
  private readonly suffix: boolean;
  private readonly charsMap: CharsMap | undefined;
  /** User-defined symbols, as strings of bytes: they stay as they are. */
  private readonly symbols: PieceTrie | undefined;
  /** Whether visible ASCII stays what it is. */
  readonly keepsAscii: boolean;
  private consumed = 0;

  constructor(spec: NormalizerSpec, suffix = false, userDefined: readonly string[] = []) {
    this.spec = spec;
    this.suffix = suffix;
    this.charsMap = spec.charsmap.length === 0 ? undefined : new CharsMap(spec.charsmap);
    if (userDefined.length > 0) {
      this.symbols = new PieceTrie();
      for (const symbol of userDefined) this.symbols.add(Buffer.from(symbol).toString('latin1'), 0);
    }
    this.keepsAscii = this.symbols === undefined && (this.charsMap?.keepsAscii ?? true);
    this.wordwise =
      spec.addDummyPrefix &&
      spec.removeExtraWhitespaces &&
      spec.escapeWhitespaces &&
      !suffix &&
      (this.charsMap?.wordwise ?? true) &&
      !userDefined.some((symbol) => symbol.includes(' ') || symbol.includes(SPACE_SYMBOL));
  }

  normalize(text: string): string {
    const { addDummyPrefix, removeExtraWhitespaces, escapeWhitespaces } = this.spec;
    const space = escapeWhitespaces ? SPACE_SYMBOL : ' ';
    if (this.keepsAscii && VISIBLE_ASCII.test(text)) {
      if (!addDummyPrefix) return text;
      return this.suffix ? text + space : space + text;
    }
    const bytes = Buffer.from(text);
    const latin = this.symbols === undefined ? '' : bytes.toString('latin1');
    let position = 0;
    if (removeExtraWhitespaces) {
      while (position < bytes.length && this.prefix(bytes, position, latin) === ' ')
        position += this.consumed;
    }
    if (position === bytes.length) return '';
    let normalized = addDummyPrefix && !this.suffix ? space : '';
    let afterSpace = removeExtraWhitespaces;
    for (; position < bytes.length; position += this.consumed) {
      let part = this.prefix(bytes, position, latin);
      if (afterSpace) part = part.replace(/^ +/, '');
      if (part === '') continue;
      afterSpace = removeExtraWhitespaces && part.endsWith(' ');
      normalized += escapeWhitespaces ? part.replaceAll(' ', space) : part;
    }
    if (removeExtraWhitespaces) normalized = stripEnd(normalized, space);
    return addDummyPrefix && this.suffix ? normalized + space : normalized;
  }

  /** What the text at `position` becomes, one rule or character of it; `consumed` is how many bytes that took. */
  private prefix(bytes: Buffer, position: number, latin: string): string {
    if (this.symbols !== undefined) {
      const length = this.symbols.longest(latin, position);
      if (length > 0) {
        this.consumed = length;
        return bytes.toString('utf8', position, position + length);
      }
    }
    const replacement = this.charsMap?.match(bytes, position);
    if (replacement !== undefined) {
      this.consumed = this.charsMap!.matchLength;
      return replacement;
    }
    const lead = bytes[position];
    this.consumed = lead < 0xc0 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (lead < 0x80) return String.fromCharCode(lead);
    return bytes.toString('utf8', position, position + this.consumed);
  }
}

function stripEnd(text: string, space: string): string {
  let end = text.length;
  while (end > 0 && text[end - 1] === space) end--;
  return text.slice(0, end);
}
