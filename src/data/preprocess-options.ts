import type { CleanOptions } from './clean.js';
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

/** Where the tokenizer comes from: a file, or the training text. */
export type TokenizerSource =
  | { readonly kind: 'given'; readonly file: string; readonly model: StoredPieceModel }
  | { readonly kind: 'trained'; readonly start: () => PieceTrainer };

export const SPLITS = ['train', 'valid', 'test'] as const;
export type Split = (typeof SPLITS)[number];

export interface PreprocessOptions {
  /** The folder to make; see checkReplaceable for what may be there already. */
  readonly destdir: string;
  readonly sourceLang: string;
  readonly targetLang: string;
  readonly texts: { readonly train: ParallelText } & Readonly<Partial<Record<Split, ParallelText>>>;
  readonly tokenizer: TokenizerSource;
  /** One tokenizer and one dictionary for both languages. */
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
  tokenizerFile?: string | null,
): CurrentInput[] {
  const inputs = SPLITS.flatMap((split) => {
    const text = texts[split];
    if (text === undefined) return [];
    return filesOf(text).map((file, i) => ({
      role: text.kind === 'tsv' ? split : `${split}.${languages[i]}`,
      path: file,
    }));
  });
  return tokenizerFile ? [...inputs, { role: 'tokenizer', path: tokenizerFile }] : inputs;
}
