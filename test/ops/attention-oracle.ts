import { Purpose, philox } from '../../src/common/rng.js';
import type { AttentionOptions } from '../../src/ops/attention.js';

/** The documented mask: 0 or 1 / (1 − rate) by the random number of index (t · heads + h) · stride + j. */
function maskAt(row: number, head: number, key: number, stride: number, options: AttentionOptions): number {
  if (options.key === null || options.dropout === 0) return 1;
  const { seed, step, site } = options.key;
  const index = (row * options.heads + head) * stride + key;
  const words = new Uint32Array(4);
  philox(Math.floor(index / 4), site, Purpose.dropout, step, seed, Math.floor(seed / 2 ** 32), words);
  return words[index % 4] < Math.floor(options.dropout * 2 ** 32) ? 0 : 1 / (1 - options.dropout);
}

const longestOf = (offsets: Int32Array): number =>
  offsets.reduce((most, end, i) => (i === 0 ? most : Math.max(most, end - offsets[i - 1])), 0);

/** Attention written down sentence by sentence, head by head, in doubles; rows of width d in and out. */
export function attentionOracle(
  q: number[][],
  k: number[][],
  v: number[][],
  qOffsets: Int32Array,
  kOffsets: Int32Array,
  options: AttentionOptions,
): number[][] {
  const { heads, causal } = options;
  const stride = Math.ceil(longestOf(kOffsets) / 4) * 4;
  const sentenceOf = (row: number) => qOffsets.findLastIndex((start) => start <= row);
  return q.map((query, row) => {
    const sentence = sentenceOf(row);
    const first = kOffsets[sentence];
    const place = row - qOffsets[sentence];
    const size = kOffsets[sentence + 1] - first;
    const seen = causal ? Math.min(size, place + 1) : size;
    const width = query.length / heads;
    return query.map((_, column) => {
      const head = Math.floor(column / width);
      const scores = Array.from({ length: seen }, (_, j) => {
        let score = 0;
        for (let i = head * width; i < (head + 1) * width; i++) score += query[i] * k[first + j][i];
        return score / Math.sqrt(width);
      });
      const most = Math.max(...scores);
      const powers = scores.map((score) => Math.exp(score - most));
      const sum = powers.reduce((total, power) => total + power, 0);
      return powers.reduce((total, power, j) => {
        return total + (power / sum) * maskAt(row, head, j, stride, options) * v[first + j][column];
      }, 0);
    });
  });
}
