/**
 * The scores of texts among each other, what two of them share being counted once for both.
 *
 * @param shared what texts a and b share, whichever comes first
 * @param score of a hypothesis against one reference
 * @returns `[h][r]`: of text h where text r is the reference
 */
export function pairScores<Shared>(
  count: number,
  shared: (a: number, b: number) => Shared,
  score: (hypothesis: number, reference: number, shared: Shared) => number,
): Float64Array[] {
  const scores = Array.from({ length: count }, () => new Float64Array(count));
  for (let a = 0; a < count; a++) {
    for (let b = 0; b <= a; b++) {
      const both = shared(a, b);
      scores[a][b] = score(a, b, both);
      scores[b][a] = a === b ? scores[a][a] : score(b, a, both);
    }
  }
  return scores;
}
