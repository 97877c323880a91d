import type { ConfigKey } from '../config/keys.js';

/** What the help shows the flags of these keys under. */
export const SCORE_HEADING = 'score — BLEU.';

const TOKENIZERS = '13a none char intl zh spm flores101 flores200 spBLEU-1K ja-mecab ko-mecab'.split(' ');

/**
 * The keys of the section `score` as the schema of the config has them. Written out, since a score of some
 * thousand lines takes less time than loading the schema does; a test holds the two together.
 */
export const SCORE_KEYS: readonly ConfigKey[] = [
  {
    path: 'score.tokenize',
    kind: 'choice',
    text: 'BLEU tokenizer; null lets the target language choose (13a for most).',
    fallback: null,
    nullable: true,
    choices: TOKENIZERS,
    expected: `one of ${TOKENIZERS.join(', ')}, or null`,
  },
  {
    path: 'score.spm-model',
    kind: 'path',
    text: 'SentencePiece model for spm, flores101, flores200 and spBLEU-1K.',
    fallback: null,
    nullable: true,
    choices: [],
    expected: 'a path, or null',
  },
  {
    path: 'score.lowercase',
    kind: 'boolean',
    text: 'Compare in lower case.',
    fallback: false,
    nullable: false,
    choices: [],
    expected: 'true or false',
  },
  {
    path: 'score.smooth-method',
    kind: 'choice',
    text: 'Smoothing of BLEU.',
    fallback: 'exp',
    nullable: false,
    choices: ['exp', 'floor', 'add-k', 'none'],
    expected: 'one of exp, floor, add-k, none',
  },
  {
    path: 'score.smooth-value',
    kind: 'number',
    text: 'Value for floor and add-k; null takes the default of the method.',
    fallback: null,
    nullable: true,
    choices: [],
    expected: 'a number of at least 0 and of at most 1000000000, or null',
  },
];
