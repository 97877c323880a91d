import * as path from 'node:path';
import { packageRoot } from '../../src/common/files.js';
import type { BpeTrainerOptions } from '../../src/tokenizer/index.js';
import { makeFuzzLines, makeText } from './sample-text.js';

/** What scripts/record-tokenizer-fixtures.ts records of SentencePiece 0.1.97, and from what. */
export const fixtures = path.join(packageRoot(), 'test/tokenizer/fixtures');
export const recordedFile = path.join(fixtures, 'recorded.json');

export interface Recorded {
  sentencepiece: string;
  /** Models that we train as well: SHA-256 of the .model, and what it makes of the probes. */
  trained: Record<string, Outcome & { model: string }>;
  /** Models that are kept beside: what they make of the probes. */
  kept: Record<string, Outcome>;
  /** The limits that spm_train names. */
  limits: { most: number; least: number };
}

/** SHA-256 of the ids and pieces of all probes, a line for each, and of what ids are decoded to; some ids as they are. */
export interface Outcome {
  ids: string;
  pieces: string;
  decoded: string;
  first: string[];
}

export interface TrainedCase {
  readonly options: Omit<BpeTrainerOptions, 'input' | 'modelPrefix'>;
  readonly texts: Record<string, readonly string[]>;
}

export const PREFIX = 'recorded';
export const small = makeText(7, 60, 2);
const several = makeText(1, 1500);

/** Trained there and here. `most` takes all that the text can give, where the order among equals matters. */
export function trainedCases(most: number): Record<string, TrainedCase> {
  const texts = { 'text.txt': several };
  return {
    'nmt-nfkc': { options: { vocabSize: 900 }, texts },
    identity: { options: { vocabSize: 900, normalization: 'identity' }, texts },
    'byte-fallback': { options: { vocabSize: 1000, byteFallback: true }, texts },
    coverage: { options: { vocabSize: 800, characterCoverage: 0.98 }, texts },
    'coverage-bytes': {
      options: { vocabSize: 900, characterCoverage: 0.99, byteFallback: true, normalization: 'identity' },
      texts,
    },
    joint: {
      options: { vocabSize: 500 },
      texts: { 'text.aa': makeText(2, 400, 1), 'text.bb': makeText(3, 400, 2) },
    },
    symbols: {
      options: {
        vocabSize: 950,
        byteFallback: true,
        // One within the other, of letters of the text, of characters with a meaning in patterns, and what NFKC changes.
        userDefinedSymbols: ['<2fr>', 'ab', 'abc', '[URL]', 'é', '.', '①', '<2fr'],
        controlSymbols: ['<ctl>', '<ctl>x'],
      },
      texts: {
        'text.txt': several.map(
          (line, i) => [`<2fr> ${line}`, `${line}[URL]<ctl>x ab abcabc ①é`, line, `a<2fr><2frx`][i % 4],
        ),
      },
    },
    'hard-text': {
      options: { vocabSize: 5000, characterCoverage: 0.995 },
      texts: { 'text.txt': [...makeFuzzLines(4, 3000), ...several] },
    },
    'large-for-its-text': { options: { vocabSize: 5000 }, texts },
    exhausted: { options: { vocabSize: most }, texts: { 'text.txt': small } },
  };
}

/** Options of spm_train for models that we only read. */
export const keptCases: Record<string, readonly string[]> = {
  unigram: ['--model_type=unigram', '--vocab_size=300'],
  'unigram-symbols': ['--model_type=unigram', '--vocab_size=300', '--user_defined_symbols=<sep>,ab,er'],
  'unigram-bytes': ['--model_type=unigram', '--vocab_size=500', '--byte_fallback'],
  symbols: ['--vocab_size=200', '--user_defined_symbols=<sep>,<s>,ab,a b,▁en', '--control_symbols=<2de>'],
  suffix: ['--vocab_size=200', '--treat_whitespace_as_suffix'],
  'no-prefix': ['--vocab_size=200', '--add_dummy_prefix=false'],
  'all-spaces': ['--vocab_size=200', '--remove_extra_whitespaces=false', '--allow_whitespace_only_pieces'],
  'bare-spaces': ['--vocab_size=200', '--remove_extra_whitespaces=false', '--add_dummy_prefix=false'],
  'across-words': ['--vocab_size=250', '--split_by_whitespace=false'],
  'other-surface': ['--vocab_size=200', '--unk_surface=?', '--pad_id=3', '--unk_piece=[UNK]'],
};
/** Their text: of two scripts, without normalisation rules, so that the files are small. */
export const keptOptions = [
  '--model_type=bpe',
  '--character_coverage=1.0',
  '--normalization_rule_name=identity',
];
export const keptText = [
  ...makeText(5, 300, 2),
  // Words that go together, and more than one space.
  ...Array(60).fill('das ist ein haus    und das ist   ein baum'),
];

export const probes = [
  ...several.slice(0, 200),
  ...makeText(6, 100),
  ...makeFuzzLines(8, 700),
  'a<sep>b <s> ab  a b <2de> en ▁en [UNK] <unk>',
  '',
  ' ',
  '  two  spaces  ',
  ' das ist ein  haus das   ist das ist ein baum   ',
];

/** The options of spm_train that ours stand for. */
export function spmOptions({ options }: TrainedCase): string[] {
  const { vocabSize, characterCoverage = 1, normalization = 'nmt_nfkc', byteFallback = false } = options;
  const { userDefinedSymbols = [], controlSymbols = [] } = options;
  return [
    '--model_type=bpe',
    `--vocab_size=${vocabSize}`,
    `--character_coverage=${characterCoverage}`,
    `--normalization_rule_name=${normalization}`,
    `--byte_fallback=${byteFallback}`,
    `--user_defined_symbols=${userDefinedSymbols}`,
    `--control_symbols=${controlSymbols}`,
  ];
}
