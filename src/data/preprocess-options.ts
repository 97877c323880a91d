import type { CleanOptions } from './clean.js';
import type { Dictionary } from './dictionary.js';
import type { FilterOptions } from './filters.js';
import type { CurrentInput } from './manifest.js';
import { filesOf, type ParallelText } from './parallel-text.js';
import type { PieceModel } from './symbol-table.js';

/** A tokenizer that can be kept beside the dataset. */
export interface StoredPieceModel extends PieceModel {
  /** The bytes of its .model. */
  serialize(): Uint8Array;
}

/** Gathers text and makes a tokenizer of it. */
export interface PieceTrainer {
  add(line: string): void;
  train(): StoredPieceModel;
}

/** Where tokenizers and dictionaries come from: files, or the training text. */
export type VocabularySource =
  | {
      readonly kind: 'given';
      readonly files: readonly CurrentInput[];
      /** Of source and target. */
      readonly models: readonly [StoredPieceModel, StoredPieceModel];
      /** Without them each has the pieces of its tokenizer, by their counts in the training text. */
      readonly dictionaries?: readonly [Dictionary, Dictionary];
    }
  | { readonly kind: 'trained'; readonly start: () => PieceTrainer };

export const SPLITS = ['train', 'valid', 'test'] as const;
export type Split = (typeof SPLITS)[number];

export interface PreprocessOptions {
  /** The folder to make; see checkReplaceable for what may be there already. */
  readonly destdir: string;
  readonly sourceLang: string;
  readonly targetLang: string;
  readonly texts: { readonly train: ParallelText } & Readonly<Partial<Record<Split, ParallelText>>>;
  readonly vocabulary: VocabularySource;
  /** One tokenizer and one dictionary for both languages; where dictionaries are given, it is those that decide. */
  readonly joint: boolean;
  readonly filter: FilterOptions;
  readonly clean: CleanOptions;
  /** For the manifest. */
  readonly dataHash: string;
  readonly seed: number;
  /** Ends the work, with its reason as the error. */
  readonly signal?: AbortSignal;
}

/** The files that a dataset depends on, with their part in it. */
export function inputsOf(
  texts: PreprocessOptions['texts'],
  languages: readonly [source: string, target: string],
  vocabulary: readonly CurrentInput[] = [],
): CurrentInput[] {
  const inputs = SPLITS.flatMap((split) => {
    const text = texts[split];
    if (text === undefined) return [];
    return filesOf(text).map((file, i) => ({
      role: text.kind === 'tsv' ? split : `${split}.${languages[i]}`,
      path: file,
    }));
  });
  return [...inputs, ...vocabulary];
}
