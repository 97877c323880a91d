import * as path from 'node:path';
import { brotliDecompressSync } from 'node:zlib';
import { readFileBounded } from '../common/file-input.js';
import { packageRoot } from '../common/files.js';
import { DamagedModelError } from './protobuf.js';

const SPACE = 0x20;
const UNIT_BYTES = 4;
/** Visible ASCII. */
const FIRST_VISIBLE = 0x21;
const LAST_VISIBLE = 0x7e;
/** Nodes to look for keys of ASCII in; a damaged trie may go in circles. */
const MOST_NODES = 1000;

/**
 * Rules that replace the longest prefix, as SentencePiece precompiles them (normalizer.cc): the size of a trie in
 * bytes, the trie as a double array of darts-clone, and the replacements, each ended by NUL.
 */
export class CharsMap {
  /** True where no rule looks at, or makes, what would tie words together: they may be normalised one by one. */
  readonly wordwise: boolean;
  /** True where no rule has a key of visible ASCII alone. */
  readonly keepsAscii: boolean;
  private readonly units: Uint32Array;
  private readonly replacements: Buffer;
  private readonly texts = new Map<number, string>();
  private length = 0;

  constructor(bytes: Uint8Array) {
    const blob = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const trieBytes = blob.length > UNIT_BYTES ? blob.readUInt32LE(0) : Number.POSITIVE_INFINITY;
    if (trieBytes < UNIT_BYTES || trieBytes >= blob.length - UNIT_BYTES || trieBytes % UNIT_BYTES !== 0) {
      throw new DamagedModelError('the trie of its normalisation rules does not fit');
    }
    this.units = new Uint32Array(trieBytes / UNIT_BYTES);
    for (let i = 0; i < this.units.length; i++) this.units[i] = blob.readUInt32LE(UNIT_BYTES * (i + 1));
    this.replacements = blob.subarray(UNIT_BYTES + trieBytes);
    this.wordwise =
      !this.mayMatchSpace() && !this.replacements.includes('\u2581') && !this.replacements.includes('  ');
    this.keepsAscii = !this.matchesAscii(offsetOf(this.units[0]), MOST_NODES).found;
  }

  /** Bytes that the rule of the last match takes. */
  get matchLength(): number {
    return this.length;
  }

  /** The replacement of the longest rule whose key stands at `start`; undefined where there is none. */
  match(bytes: Uint8Array, start: number): string | undefined {
    const { units } = this;
    let value = -1;
    let node = offsetOf(units[0]);
    for (let i = start; i < bytes.length; i++) {
      node ^= bytes[i];
      const unit = units[node];
      // Undefined outside of the array, which a damaged trie may point to.
      if (unit === undefined || (unit & 0x800000ff) !== bytes[i]) break;
      node ^= offsetOf(unit);
      if ((unit >>> 8) & 1 && node < units.length) {
        value = units[node] & 0x7fffffff;
        this.length = i + 1 - start;
      }
    }
    return value < 0 ? undefined : this.text(value);
  }

  private text(value: number): string {
    let text = this.texts.get(value);
    if (text === undefined) {
      const end = this.replacements.indexOf(0, value);
      text = this.replacements.toString('utf8', value, end < 0 ? this.replacements.length : end);
      this.texts.set(value, text);
    }
    return text;
  }

  /**
   * Whether a key below a node is of visible ASCII alone; so it is said, too, where there are more nodes than are to be
   * visited.
   */
  private matchesAscii(node: number, nodes: number): { found: boolean; nodes: number } {
    let left = nodes;
    for (let byte = FIRST_VISIBLE; byte <= LAST_VISIBLE; byte++) {
      const child = node ^ byte;
      const unit = this.units[child];
      if (unit === undefined || (unit & 0x800000ff) !== byte) continue;
      if ((unit >>> 8) & 1 || --left < 0) return { found: true, nodes: left };
      const below = this.matchesAscii(child ^ offsetOf(unit), left);
      if (below.found) return below;
      left = below.nodes;
    }
    return { found: false, nodes: left };
  }

  /** Whether any transition reads a space; true as well where a unit out of use only looks like one. */
  private mayMatchSpace(): boolean {
    return this.units.some((unit, node) => {
      const child = (node ^ offsetOf(unit) ^ SPACE) >>> 0;
      return unit >>> 31 === 0 && (this.units[child] & 0x800000ff) === SPACE;
    });
  }
}

/** The distance to the children of a unit (darts.h, DoubleArrayUnit::offset). */
function offsetOf(unit: number): number {
  return (unit >>> 10) << ((unit & 0x200) >>> 6);
}

let nmtNfkc: Buffer | undefined;

/** The precompiled rules of `nmt_nfkc`, as spm_train puts them into a model. */
export function nmtNfkcCharsMap(): Buffer {
  const file = path.join(packageRoot(), 'src', 'tokenizer', 'nmt_nfkc.charsmap.br');
  nmtNfkc ??= brotliDecompressSync(readFileBounded(file, 'the rules of nmt_nfkc')); // the error names the file
  return nmtNfkc;
}
