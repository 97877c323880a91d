/** A batch size, and the most memory of the process in a training with it, in bytes. */
export interface BatchSize {
  maxTokens: number;
  bytes: number;
}

/** Sizes are multiples of this, so that a few megabytes more or less do not change them. */
const GRAIN = 64;
/** How much larger than the largest size that was tried the next one may be. */
const GROWTH = 2;
/** A size that is smaller by less than this factor than another will do. */
const CLOSE = 1.05;

/**
 * The largest batch size that fits: memory is measured at sizes that grow from the least, each one only when the line
 * through the two before says that it fits, and is at most twice the one before: memory is linear in the tokens of a
 * batch, but steeper once activations are more than the gradients of the weights. What is returned was measured.
 *
 * @param measure tells the memory of a training with batches of at most so many tokens; Infinity where it is more than
 *   there is
 * @param limit in bytes
 * @param least sensible size
 * @param most sensible size
 * @returns the size, or the least one with its memory where even that does not fit
 */
export async function largestThatFits(
  measure: (maxTokens: number) => Promise<number>,
  limit: number,
  least: number,
  most: number,
): Promise<BatchSize> {
  const tryOut = async (maxTokens: number): Promise<BatchSize> => ({
    maxTokens,
    bytes: await measure(maxTokens),
  });
  let before: BatchSize | undefined;
  let fitting = await tryOut(least);
  let failing: BatchSize | undefined;
  while (fitting.bytes <= limit) {
    const other = failing ?? before;
    const guess = other === undefined ? 2 * fitting.maxTokens : sizeOn(other, fitting, limit);
    const highest = failing === undefined ? GROWTH * fitting.maxTokens : failing.maxTokens - GRAIN;
    const next = Math.min(Math.floor(Math.min(guess, highest) / GRAIN) * GRAIN, most);
    if (next < CLOSE * fitting.maxTokens && next !== most) break;
    if (next <= fitting.maxTokens) break;
    const found = await tryOut(next);
    if (found.bytes > limit) failing = found;
    else [before, fitting] = [fitting, found];
  }
  return fitting;
}

/** Where the line through two sizes reaches a limit; Infinity where it does not rise. Between them where a is beyond measure. */
function sizeOn(a: BatchSize, b: BatchSize, limit: number): number {
  if (a.bytes === Infinity) return (a.maxTokens + b.maxTokens) / 2;
  const slope = (b.bytes - a.bytes) / (b.maxTokens - a.maxTokens);
  return slope > 0 ? b.maxTokens + (limit - b.bytes) / slope : Infinity;
}

/**
 * Batches of an update (`update-freq`) so that it has so many target tokens, as near as can be.
 *
 * @param batchTokens target tokens of an update (`batch-tokens`)
 * @param targetTokens of an epoch
 * @param batches of an epoch
 */
export function updateFrequency(batchTokens: number, targetTokens: number, batches: number): number {
  return Math.max(1, Math.round((batchTokens * batches) / targetTokens));
}
