import { UserError } from '../common/errors.js';
import { nmtNfkcCharsMap } from './charsmap.js';
import { MergeLearner } from './merge-learner.js';
import { writeModel } from './model-writer.js';
import { compileRules } from './normalization-rules.js';
import { Normalizer } from './normalizer.js';
import type { Normalization, Piece } from './piece.js';
import { specialPieces } from './special-pieces.js';
import { Tokenizer } from './tokenizer.js';
import { type CountedWords, coveringCharacters, WordCounts } from './word-counts.js';

export interface BpeTrainerOptions {
  /** Number of pieces, `<unk>`, `<s>`, `</s>` and byte pieces included. */
  readonly vocabSize: number;
  /** Share of the characters of the text that get a piece; in (0, 1]. Default 1. */
  readonly characterCoverage?: number;
  /** Default `nmt_nfkc`. */
  readonly normalization?: Normalization;
  /** Rules in its place, as --normalization_rule_tsv has them; null takes it. */
  readonly normalizationRules?: { readonly text: string; readonly file: string } | null;
  /** Spell characters without a piece as bytes: takes 256 pieces. Default false. */
  readonly byteFallback?: boolean;
  /** Pieces that text never has, of no text of their own; as --control_symbols. Without white space. */
  readonly controlSymbols?: readonly string[];
  /** Symbols that are one piece wherever text has them; as --user_defined_symbols. Without white space. */
  readonly userDefinedSymbols?: readonly string[];
  /** What spm_train's --input, --model_prefix and the path of rules would be: they stand in the model and have no effect. */
  readonly input?: readonly string[];
  readonly rulesName?: string;
  readonly modelPrefix?: string;
}

/**
 * Trains a BPE model: the bytes are those that `spm_train --model_type=bpe` of SentencePiece 0.1.97 writes for the
 * same text and options, its other options at their defaults.
 */
export class BpeTrainer {
  private readonly options: Required<BpeTrainerOptions>;
  private readonly charsmap: Buffer;
  private readonly specials: readonly Piece[];
  private readonly counts: WordCounts;

  /** @throws UserError for options out of range */
  constructor(options: BpeTrainerOptions) {
    this.options = {
      characterCoverage: 1,
      normalization: 'nmt_nfkc',
      byteFallback: false,
      controlSymbols: [],
      userDefinedSymbols: [],
      normalizationRules: null,
      rulesName: '',
      input: [],
      modelPrefix: 'tokenizer',
      ...options,
    };
    const { vocabSize, characterCoverage, normalization, normalizationRules: rules } = this.options;
    if (!Number.isInteger(vocabSize) || vocabSize < 1 || vocabSize >= 2 ** 21) {
      throw new UserError({ problem: `expected a vocabulary size from 1 to 2097151, found ${vocabSize}` });
    }
    if (!(characterCoverage > 0 && characterCoverage <= 1)) {
      throw new UserError({ problem: `expected a character coverage in (0, 1], found ${characterCoverage}` });
    }
    const named = () => (normalization === 'nmt_nfkc' ? nmtNfkcCharsMap() : Buffer.alloc(0));
    this.charsmap = rules === null ? named() : compileRules(rules.text, rules.file);
    this.specials = specialPieces(this.options);
    this.counts = new WordCounts(
      new Normalizer({
        charsmap: this.charsmap,
        addDummyPrefix: true,
        removeExtraWhitespaces: true,
        escapeWhitespaces: true,
      }),
      this.specials.map(({ piece }) => piece),
    );
  }

  /** Counts a line of text. As in spm_train, a line of more than 4192 bytes is passed over. */
  add(line: string): void {
    for (const part of line.includes('\n') ? line.split('\n') : [line]) this.counts.add(part);
  }

  /** Takes out what was counted so far, for `give` of a trainer of the same options, in another thread too. */
  take(): CountedWords {
    return this.counts.take();
  }

  /** Adds what others have counted: the model is that of all lines, whoever counted them in whatever order. */
  give(counted: CountedWords): void {
    this.counts.give(counted);
  }

  /**
   * Makes the model of all lines so far.
   *
   * @param see is told how many pieces were learnt, after each
   * @throws UserError where there is no text, or the vocabulary is too small for its characters or too large for it
   */
  train(see?: (pieces: number) => void): Tokenizer {
    const { vocabSize, characterCoverage } = this.options;
    const characters = coveringCharacters(this.counts.characters(), characterCoverage);
    if (characters.length === 0) throw noText();
    const fixed = this.specials.length + characters.length;
    if (vocabSize < fixed) throw this.tooSmall(fixed, characters.length);
    const covered = new Set(characters.map((character) => character.codePointAt(0)!));
    const words = this.counts.words((codePoint) => !covered.has(codePoint));
    const merged = new MergeLearner(words).learn(vocabSize - fixed, see);
    if (fixed + merged.length < vocabSize) throw tooLarge(vocabSize, fixed + merged.length);
    return this.finish(merged, characters);
  }

  private finish(merged: readonly string[], characters: readonly string[]): Tokenizer {
    const { charsmap } = this;
    const learned = [...merged, ...characters].map(
      (piece, i): Piece => ({ piece, score: -i, type: 'normal' }),
    );
    const { normalizationRules, normalization } = this.options;
    const name = normalizationRules === null ? normalization : 'user_defined';
    const record = { ...this.options, normalization: name, charsmap };
    return Tokenizer.parse(writeModel([...this.specials, ...learned], record));
  }

  private tooSmall(least: number, characters: number): UserError {
    const { vocabSize, characterCoverage } = this.options;
    return new UserError({
      problem: `expected a vocabulary of at least ${least} pieces, ${characters} of them for the characters of the text, found ${vocabSize}`,
      hint: `Set the vocabulary size to ${least} or more, or the character coverage below ${characterCoverage}.`,
    });
  }
}

function noText(): UserError {
  return new UserError({
    problem: 'expected text to train a tokenizer on, found none',
    hint: 'Check that the training text is not empty; lines of more than 4192 bytes are passed over.',
  });
}

function tooLarge(wanted: number, most: number): UserError {
  return new UserError({
    problem: `expected a vocabulary that the text can give, found one of ${wanted} pieces; ${most} is the largest that works`,
    hint: `Set the vocabulary size to ${most} or less, or train on more text.`,
  });
}
