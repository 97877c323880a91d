import { Agenda } from './agenda.js';
import { PieceTrie } from './piece-trie.js';
import type { Vocabulary } from './vocabulary.js';
import { WordMerger } from './word-merger.js';

/** Whether the next merge is passed over (BPE-dropout). */
export type SkipMerge = () => boolean;

/** Segments normalised text by merging the pair whose piece has the best score (bpe_model.cc, SampleEncode). */
export class BpeSegmenter {
  private readonly vocabulary: Vocabulary;
  /** Of each id, the place of its score among all scores. */
  private readonly ranks: Int32Array;
  private readonly userDefined: PieceTrie | undefined;
  private readonly hasUnused: boolean;
  /** For short words of models whose pieces all merge and are given out. */
  private readonly merger: WordMerger | undefined;

  constructor(vocabulary: Vocabulary) {
    this.vocabulary = vocabulary;
    this.ranks = rankScores(vocabulary.pieces.map(({ score }) => score));
    this.hasUnused = vocabulary.pieces.some(({ type }) => type === 'unused');
    if (vocabulary.userDefined.length > 0) {
      this.userDefined = new PieceTrie();
      for (const piece of vocabulary.userDefined) this.userDefined.add(piece, 0);
    }
    const plain = [...vocabulary.segments].every(([piece, id]) => vocabulary.idOf(piece) === id);
    if (this.userDefined === undefined && !this.hasUnused && plain) {
      this.merger = new WordMerger(vocabulary, this.ranks);
    }
  }

  /** The ids of the pieces of a word, normalised; undefined where one is unknown, or where `segment` is to be asked. */
  ids(word: string): Int32Array | undefined {
    return this.merger?.segment(word);
  }

  /** The text in pieces, known or not. It takes n·log n time for a text of n characters. */
  segment(text: string, skip?: SkipMerge): string[] {
    return new Merging(text, this.vocabulary, this.ranks, this.userDefined, this.hasUnused, skip).run();
  }
}

/** Equal scores get equal ranks; what is no number comes last. */
function rankScores(scores: readonly number[]): Int32Array {
  const values = scores.map((score) => (Number.isNaN(score) ? Number.NEGATIVE_INFINITY : score));
  const order = [...new Set(values)].sort((a, b) => b - a || (a > b ? -1 : a < b ? 1 : 0));
  const ranks = new Map(order.map((score, rank) => [score, rank]));
  return Int32Array.from(values, (score) => ranks.get(score)!);
}

/** One text under way: a list of symbols, each from its start to its end in the text. */
class Merging {
  private readonly text: string;
  private readonly vocabulary: Vocabulary;
  private readonly ranks: Int32Array;
  private readonly agenda = new Agenda();
  private readonly skip: SkipMerge | undefined;
  private readonly starts: number[] = [];
  /** Equal to the start once the symbol has gone into the one at its left. */
  private readonly ends: number[] = [];
  private readonly previous: number[] = [];
  private readonly next: number[] = [];
  /** Symbols that never merge: user-defined ones. */
  private readonly frozen = new Set<number>();
  /** Of unused pieces, the length of the left part that they were merged from. */
  private readonly unmerged: Map<string, number> | undefined;

  constructor(
    text: string,
    vocabulary: Vocabulary,
    ranks: Int32Array,
    userDefined: PieceTrie | undefined,
    hasUnused: boolean,
    skip: SkipMerge | undefined,
  ) {
    this.text = text;
    this.vocabulary = vocabulary;
    this.ranks = ranks;
    this.skip = skip;
    this.unmerged = hasUnused ? new Map() : undefined;
    this.split(userDefined);
  }

  run(): string[] {
    const { agenda, starts, ends, previous, next } = this;
    for (let i = 1; i < starts.length; i++) this.propose(i - 1, i);
    while (agenda.size > 0) {
      const { left, right, length } = agenda.pop();
      if (ends[left] === starts[left] || ends[right] === starts[right]) continue;
      if (ends[right] - starts[left] !== length) continue;
      if (this.skip?.()) continue;
      ends[left] = ends[right];
      ends[right] = starts[right];
      next[left] = next[right];
      if (next[right] >= 0) previous[next[right]] = left;
      this.propose(previous[left], left);
      this.propose(left, next[left]);
    }
    return this.pieces();
  }

  /** Into characters and user-defined symbols. */
  private split(userDefined: PieceTrie | undefined): void {
    const { text, starts, ends, previous, next } = this;
    for (let start = 0; start < text.length; start = ends[ends.length - 1]) {
      const symbol = userDefined?.longest(text, start) ?? 0;
      if (symbol > 0) this.frozen.add(starts.length);
      const length = symbol > 0 ? symbol : text.codePointAt(start)! > 0xffff ? 2 : 1;
      previous.push(starts.length - 1);
      starts.push(start);
      ends.push(start + length);
      next.push(starts.length);
    }
    if (next.length > 0) next[next.length - 1] = -1;
  }

  private propose(left: number, right: number): void {
    if (left < 0 || right < 0) return;
    if (this.frozen.size > 0 && (this.frozen.has(left) || this.frozen.has(right))) return;
    const start = this.starts[left];
    const length = this.ends[right] - start;
    if (length > this.vocabulary.longest) return;
    const piece = this.text.slice(start, start + length);
    const id = this.vocabulary.segments.get(piece);
    if (id === undefined) return;
    this.agenda.push(this.ranks[id], left, right, length);
    if (this.unmerged !== undefined && this.isUnused(id)) {
      this.unmerged.set(piece, this.ends[left] - start);
    }
  }

  private isUnused(id: number): boolean {
    return this.vocabulary.pieces[id].type === 'unused';
  }

  private pieces(): string[] {
    const pieces: string[] = [];
    for (let i = this.starts.length > 0 ? 0 : -1; i >= 0; i = this.next[i]) {
      const piece = this.text.slice(this.starts[i], this.ends[i]);
      if (this.unmerged === undefined) pieces.push(piece);
      else this.resegment(piece, pieces);
    }
    return pieces;
  }

  /** Unused pieces take part in merges, but are not given out: they fall apart again. */
  private resegment(whole: string, pieces: string[]): void {
    const stack = [whole];
    for (let piece = stack.pop(); piece !== undefined; piece = stack.pop()) {
      const left = this.isUnused(this.vocabulary.idOf(piece)) ? this.unmerged!.get(piece) : undefined;
      if (left === undefined) pieces.push(piece);
      else stack.push(piece.slice(left), piece.slice(0, left));
    }
  }
}
