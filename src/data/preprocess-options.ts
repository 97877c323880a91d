import type { CleanOptions } from './clean.js';
import type { Dictionary } from './dictionary.js';
import type { FilterOptions } from './filters.js';
import type { LineDraw } from './line-sample.js';
import type { CurrentInput } from './manifest.js';
import type { PairBytes } from './pair-bytes.js';
import { type EncodedPairs, type EncoderOptions, type EncoderSide, PairEncoder } from './pair-encoder.js';
import { PieceCounter } from './piece-counter.js';
import type { PieceModel } from './symbol-table.js';
import type { DatasetTexts } from './text-parts.js';

/** A tokenizer that can be kept beside the dataset. */
export interface StoredPieceModel extends PieceModel {
  /** The bytes of its .model. */
  serialize(): Uint8Array;
  /** The same, but that text has of its pieces only those which `isKept` takes, and characters, and symbols of the user. */
  restricted(isKept: (piece: string, id: number) => boolean): StoredPieceModel;
}

/** Encodes text, on this thread or on others. */
export interface BlockEncoder {
  /** Blocks to give it before the first is done. */
  readonly width: number;
  /** @throws UserError as PairEncoder */
  encode(block: PairBytes): EncodedPairs | Promise<EncodedPairs>;
  /** Ends what is under way. */
  close(): Promise<void>;
}

/** What text is encoded with. */
export interface EncoderSetup {
  readonly sides: readonly [StoredSide, StoredSide];
  readonly options: EncoderOptions;
  /** Files of the text, of which the size says how many threads are worth it. */
  readonly files: readonly string[];
}

/** One language, in what can be sent to threads. */
export interface StoredSide extends EncoderSide {
  readonly model: StoredPieceModel;
}

/** Encodes on this thread. */
export function encodeHere({ sides, options }: EncoderSetup): BlockEncoder {
  const encoder = new PairEncoder(sides, options);
  return { width: 1, encode: (block) => encoder.encode(block), close: async () => {} };
}

/** Gathers text and makes a tokenizer of it. */
export interface PieceTrainer {
  add(line: string): void;
  train(): StoredPieceModel;
}

/** Gathers the training text and makes tokenizers of it, on this thread or on others. */
export interface BlockCounter {
  /** Blocks to give it before the first is done. */
  readonly width: number;
  /** @returns how many pairs there are. @throws UserError as PieceCounter */
  add(block: PairBytes): number | Promise<number>;
  /**
   * The tokenizers of source and target, of the text so far; nothing is added after it.
   *
   * @param see is told now and then how many pieces were learnt, of both together
   * @param signal ends the work, with its reason as the error
   */
  train(
    see: (pieces: number) => void,
    signal?: AbortSignal,
  ): Promise<readonly [source: StoredPieceModel, target: StoredPieceModel]>;
  /** Ends what is under way. */
  close(): Promise<void>;
}

/** What tokenizers are trained with. */
export interface CounterSetup {
  /** One tokenizer for both languages. */
  readonly joint: boolean;
  readonly clean: CleanOptions;
  /** Files of the text, of which the size says how many threads are worth it. */
  readonly files: readonly string[];
  /** The lines to train on; all without it (see PieceCounter). */
  readonly drawn?: LineDraw;
}

/** Gathers text on this thread. */
export function countHere(start: () => PieceTrainer, { joint, clean, drawn }: CounterSetup): BlockCounter {
  const source = start();
  const target = joint ? source : start();
  const counter = new PieceCounter([source, target], clean, drawn);
  return {
    width: 1,
    add: (block) => counter.add(block),
    async train() {
      const model = source.train();
      return [model, target === source ? model : target.train()];
    },
    close: async () => {},
  };
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
  | {
      readonly kind: 'trained';
      readonly start: (setup: CounterSetup) => BlockCounter;
      /** Lines to draw for a tokenizer; all without it. */
      readonly sentences?: number;
    };

export const SPLITS = ['train', 'valid', 'test'] as const;
export type Split = (typeof SPLITS)[number];

export interface PreprocessOptions {
  /** The folder to make; see checkReplaceable for what may be there already. */
  readonly destdir: string;
  readonly sourceLang: string;
  readonly targetLang: string;
  readonly texts: DatasetTexts;
  readonly vocabulary: VocabularySource;
  /** One tokenizer and one dictionary for both languages; where dictionaries are given, it is those that decide. */
  readonly joint: boolean;
  /**
   * How often the training text of a language must have a piece of a tokenizer of both languages for text of that language to be given it;
   * where dictionaries are given it is settled.
   */
  readonly vocabularyThreshold?: number;
  /** Of the training text where it is one; corpora have their own. */
  readonly filter: FilterOptions;
  readonly clean: CleanOptions;
  /** For the manifest. */
  readonly dataHash: string;
  /** Names what of the config tokenizers are trained by; for the manifest. */
  readonly vocabularyHash: string;
  /** Take over from the dataset that is replaced what is in it already. */
  readonly reuse?: boolean;
  readonly seed: number;
  /** Starts what encodes a text; on this thread where it is left out. */
  readonly startEncoder?: (setup: EncoderSetup) => BlockEncoder;
  /** Ends the work, with its reason as the error. */
  readonly signal?: AbortSignal;
}
