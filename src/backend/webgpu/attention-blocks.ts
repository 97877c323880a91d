/** Queries, or keys, that a group takes at a time: fewer where sentences are short. */
export const BLOCKS = [8, 16] as const;
export type Block = (typeof BLOCKS)[number];

/** The block for sentences of at most so many rows. */
export const blockFor = (longest: number): Block => (longest <= BLOCKS[0] ? BLOCKS[0] : BLOCKS[1]);

/** Sentences cut into blocks, for groups to find theirs: of each block where it starts and ends and what stands opposite. */
export interface Blocks {
  count: number;
  /** For each block: its first row, the end of its sentence, the start of its sentence, start and end of the other side. */
  places: Int32Array;
}

/** Ints of a block in `places`. */
export const BLOCK_INTS = 5;

const known = new WeakMap<Int32Array, WeakMap<Int32Array, Map<Block, Blocks>>>();

/** The blocks of the sentences of one side, `others` being the offsets of the other; kept as long as both are. */
export function blocksOf(offsets: Int32Array, others: Int32Array, block: Block): Blocks {
  const ofOffsets = known.get(offsets) ?? new WeakMap<Int32Array, Map<Block, Blocks>>();
  known.set(offsets, ofOffsets);
  const ofBoth = ofOffsets.get(others) ?? new Map<Block, Blocks>();
  ofOffsets.set(others, ofBoth);
  const blocks = ofBoth.get(block) ?? cut(offsets, others, block);
  ofBoth.set(block, blocks);
  return blocks;
}

function cut(offsets: Int32Array, others: Int32Array, block: Block): Blocks {
  const places: number[] = [];
  for (let i = 0; i + 1 < offsets.length; i++) {
    for (let row = offsets[i]; row < offsets[i + 1]; row += block)
      places.push(row, offsets[i + 1], offsets[i], others[i], others[i + 1]);
  }
  return { count: places.length / BLOCK_INTS, places: Int32Array.from(places) };
}

/** Most rows of a sentence. */
export function longestOf(offsets: Int32Array): number {
  let longest = 0;
  for (let i = 0; i + 1 < offsets.length; i++) longest = Math.max(longest, offsets[i + 1] - offsets[i]);
  return longest;
}
