/**
 * fairseq's mmap format (fairseq/data/indexed_dataset.py, MMapIndexedDataset), as reader and writer share it.
 * Numbers lie as the machine has them, little end first on all that matter.
 */

/** First bytes of an .idx file. */
export const MAGIC = Buffer.from('MMIDIDX\0\0', 'latin1');
export const VERSION = 1;
/** Magic, version (uint64), type of the ids (uint8), number of items (uint64). */
export const HEADER_BYTES = MAGIC.length + 8 + 1 + 8;
/** For each item: its length (int32), and where it starts in the .bin file in bytes (int64). */
export const SIZE_BYTES = 4;
export const POINTER_BYTES = 8;

/** Types of ids by their code; 6 and 7 are floats, which are no ids. */
export const ID_TYPES = {
  1: Uint8Array,
  2: Int8Array,
  3: Int16Array,
  4: Int32Array,
  5: BigInt64Array,
  8: Uint16Array,
} as const;
export type IdCode = keyof typeof ID_TYPES;

/** The type that fairseq chooses for a vocabulary: uint16 where it fits, else int32. */
export function idCodeFor(vocabularySize: number): 8 | 4 {
  return vocabularySize < 65500 ? 8 : 4;
}

/** The files that a prefix (`folder/train.de-en.de`) stands for. */
export const indexFile = (prefix: string): string => `${prefix}.idx`;
export const dataFile = (prefix: string): string => `${prefix}.bin`;

/** What the files of the alignments of a split are called, without their folder and ending: `train.align.de-en`, as fairseq does. */
export const linksStem = (split: string, pair: string): string => `${split}.align.${pair}`;
