import { z } from 'zod';
import { corpusList } from './corpus-list.js';
import { bound, free } from './key-facts.js';
import { choice, count, file, fileOr, flag, folder, rate, section, texts, whole } from './values.js';

const tokenizerSection = section(
  {
    model: free(file('An existing SentencePiece .model to use; null trains one on the training text.')),
    'vocab-size': bound(count(8000, 'Pieces in a trained tokenizer, special ones included.', 8, 2 ** 20), {
      unit: 'pieces',
    }),
    joint: bound(
      flag(true, 'One tokenizer and one dictionary for both languages; false trains one for each.'),
    ),
    'vocabulary-threshold': bound(
      count(
        0,
        'Pieces of a joint tokenizer that the training text of a language has less often than this are not used for that language; 0 is off.',
      ),
      { unit: 'times' },
    ),
    'character-coverage': bound(
      z
        .number()
        .gt(0)
        .max(1)
        .default(1)
        .describe('Share of the characters of the text that get a piece of their own.'),
    ),
    normalization: bound(
      choice(
        ['nmt_nfkc', 'identity'],
        'nmt_nfkc',
        "SentencePiece's rule to normalise text before it is segmented.",
      ),
    ),
    'normalization-rules': free(
      file('Own rules in place of normalization: a TSV as --normalization_rule_tsv of spm_train takes it.'),
    ),
    sentences: bound(
      whole(1)
        .nullable()
        .default(null)
        .describe(
          'Lines of the training text that a tokenizer is trained on, drawn at random; null takes all.',
        ),
      { unit: 'lines' },
    ),
    'user-defined-symbols': bound(
      texts(
        'Symbols that are one piece wherever text has them, such as <2fr>; the tags of data.train are, too.',
      ),
    ),
    'control-symbols': bound(texts('Pieces that no text has, for use by other programs.')),
    'byte-fallback': bound(flag(false, 'Spell characters without a piece as bytes instead of <unk>.')),
  },
  'The SentencePiece BPE tokenizer.',
);

const filterSection = section(
  {
    'min-length': bound(count(1, 'Drop a pair when a side has fewer tokens than this.'), { unit: 'tokens' }),
    'max-length': bound(count(175, 'Drop a pair when a side has more tokens than this.', 1), {
      unit: 'tokens',
    }),
    'max-ratio': bound(
      z
        .number()
        .min(1)
        .max(1_000_000)
        .nullable()
        .default(null)
        .describe(
          'Drop a pair when one side has more than this many times the tokens of the other; null keeps all.',
        ),
    ),
    deduplicate: bound(flag(false, 'Keep only the first of identical pairs.')),
  },
  'Which pairs of the training text are kept; validation and test text is never filtered.',
);

const cleanSection = section(
  {
    nfc: bound(flag(false, 'Bring text to Unicode normalisation form C.')),
    whitespace: bound(flag(false, 'Collapse runs of white space to one space and strip both ends.')),
  },
  'Hygiene before anything else sees a line, in training and in translation; everything is off by default.',
);

/** `data` of a config. */
export const dataSection = section(
  {
    'source-lang': bound(
      z
        .string()
        .regex(/^[A-Za-z][\w-]*$/)
        .default('src')
        .describe('Language translated from; the suffix of its files.'),
    ),
    'target-lang': bound(
      z
        .string()
        .regex(/^[A-Za-z][\w-]*$/)
        .default('tgt')
        .describe('Language translated to; the suffix of its files.'),
    ),
    root: free(folder('.', 'Folder that train, valid and test are relative to.', 0)),
    train: free(
      fileOr(
        corpusList,
        'Training text: PREFIX for PREFIX.de and PREFIX.en (plain or .gz), or a .tsv with source and target columns; or a list of corpora, see docs/preprocess.md.',
      ),
    ),
    'corpus-temperature': free(
      z
        .number()
        .min(1)
        .max(1000)
        .default(1)
        .describe(
          'Evens out the corpora of data.train: each has a share of an epoch in proportion to size^(1/T); 1 leaves it at their weights.',
        ),
    ),
    valid: free(file('Validation text, as train.')),
    test: free(file('Test text, as train.')),
    'align-suffix': free(
      z
        .string()
        .min(1)
        .nullable()
        .default(null)
        .describe(
          "What the files of alignments end in, in Pharaoh's format: align for PREFIX.align beside each training text, and beside the validation text where there is one; null for none. See train.guided-alignment.",
        ),
    ),
    'valid-tag': bound(
      z
        .string()
        .min(1)
        .nullable()
        .default(null)
        .describe('A token that is put before each source sentence of the validation and test text.'),
    ),
    destdir: free(
      folder(
        'data-bin',
        'Folder that preprocess writes and that profile and train read (fairseq mmap format).',
      ),
    ),
    prepared: free(
      flag(false, 'destdir is an existing fairseq data-bin: use it as it is and make nothing from text.'),
    ),
    'vocabulary-from': free(
      file(
        'Folder of a run or a dataset whose tokenizers and dictionaries are used as they are, for fine-tuning.',
      ),
    ),
    tokenizer: tokenizerSection,
    filter: filterSection,
    clean: cleanSection,
    'bpe-dropout': bound(
      rate(0, 'Probability that a BPE merge is skipped when training text is segmented anew each epoch.'),
    ),
  },
  'The parallel text and how it becomes a dataset.',
);
