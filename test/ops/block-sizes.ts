import { readdirSync, readFileSync } from 'node:fs';
import * as path from 'node:path';
import { packageRoot } from '../../src/common/files.js';

/**
 * The sizes of the blocks that the native kernels cut rows, columns, sums and vectors into, read from their sources: the
 * constants of `native/src/ops`, and the rows of the largest block of a product's left operand. What goes wrong between
 * two blocks, or in all but the last, shows at sizes on both sides of them alone.
 */
export const blockSizes: readonly number[] = readBlockSizes();

/** Blocks of rows, columns and depths; larger ones cut vectors. */
const WIDEST = 1024;

/** 1, and for each kind of block one that is full, one with a row to spare, and two with one. */
const straddle = (blocks: readonly number[]): number[] =>
  [...new Set([1, ...blocks.flatMap((block) => [block, block + 1, 2 * block + 1])])].sort((a, b) => a - b);

/** Sizes for a dimension of a matrix. */
export const matrixSizes = straddle(blockSizes.filter((block) => block <= WIDEST));

/** Sizes for a vector. */
export const vectorSizes = straddle(blockSizes);

function readBlockSizes(): number[] {
  const folder = path.join(packageRoot(), 'native', 'src', 'ops');
  const source = readdirSync(folder)
    .map((file) => readFileSync(path.join(folder, file), 'utf8'))
    .join('\n');
  const constants = [...source.matchAll(/constexpr int64_t (\w+) = (\d+);/g)].map(
    ([, name, size]) => [name, Number(size)] as const,
  );
  const { MOST_SLIVERS, ...blocks } = Object.fromEntries(constants);
  const [, ...tiles] = /constexpr int MR = LANES == 16 \? (\d+) : (\d+);/.exec(source) ?? [];
  const sizes = [...constants.filter(([name]) => name in blocks).map(([, size]) => size)];
  return [...new Set([...sizes, ...tiles.map((rows) => MOST_SLIVERS * Number(rows))])].sort((a, b) => a - b);
}
