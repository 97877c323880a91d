import { PieceTrie } from './piece-trie.js';
import type { Vocabulary } from './vocabulary.js';

/** How much worse than the worst piece an unknown character is (unigram_model.cc). */
const UNKNOWN_PENALTY = 10;
const FLT_MAX = 3.4028234663852886e38;
const FLT_MIN = 1.1754943508222875e-38;

/**
 * Segments normalised text into the pieces with the best sum of scores (unigram_model.cc, EncodeOptimized). Sums
 * are rounded to single precision where they are there, since that decides between paths that are nearly equal.
 */
export class UnigramSegmenter {
  private readonly trie = new PieceTrie();
  private readonly scores: Float64Array;
  private readonly unknownScore: number;

  constructor({ pieces, segments }: Vocabulary) {
    let [worst, best] = [FLT_MAX, FLT_MIN];
    for (const { score, type } of pieces) {
      if (type === 'normal') [worst, best] = [Math.min(worst, score), Math.max(best, score)];
    }
    this.unknownScore = Math.fround(worst - UNKNOWN_PENALTY);
    this.scores = Float64Array.from(pieces, ({ piece, score, type }) =>
      type === 'user-defined' ? Math.fround(Buffer.byteLength(piece) * best) - 0.1 : score,
    );
    for (const [piece, id] of segments) if (pieces[id].type !== 'unused') this.trie.add(piece, id);
  }

  segment(text: string): string[] {
    const size = text.length;
    const totals = new Float32Array(size + 1);
    /** Where the last piece of the best path to each place starts. */
    const starts = new Int32Array(size + 1).fill(-1);
    const offer = (end: number, start: number, total: number): void => {
      if (starts[end] >= 0 && !(total > totals[end])) return;
      totals[end] = total;
      starts[end] = start;
    };
    for (let start = 0, length = 1; start < size; start += length) {
      length = text.codePointAt(start)! > 0xffff ? 2 : 1;
      let known = false;
      let node = 0;
      for (let end = start + 1; end <= size; end++) {
        node = this.trie.child(node, text.charCodeAt(end - 1));
        if (node < 0) break;
        const id = this.trie.valueAt(node);
        if (id < 0) continue;
        offer(end, start, this.scores[id] + totals[start]);
        if (end - start === length) known = true;
      }
      if (!known) offer(start + length, start, Math.fround(this.unknownScore + totals[start]));
    }
    const pieces: string[] = [];
    for (let end = size; end > 0; end = starts[end]) pieces.push(text.slice(starts[end], end));
    return pieces.reverse();
  }
}
