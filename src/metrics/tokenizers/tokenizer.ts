import { UserError } from '../../common/errors.js';
import { unknownChoice } from '../choice.js';
import { splitWords, visibleCharacters } from '../python-text.js';
import { tokenizeChinese } from './chinese.js';
import { tokenizeInternational } from './international.js';
import { isChinese, unsegmentedLanguage } from './language.js';
import { tokenize13a } from './mteval.js';

/** Cuts a line (white space at its end removed before) into the tokens that BLEU counts. */
export type Tokenize = (line: string) => string[];

/** The tokenizers by the names that sacreBLEU gives them; the name is also what the signature says. */
const TOKENIZERS = {
  '13a': tokenize13a,
  none: splitWords,
  char: visibleCharacters,
  intl: tokenizeInternational,
  zh: tokenizeChinese,
} satisfies Record<string, Tokenize>;

export type TokenizerName = keyof typeof TOKENIZERS;

export const TOKENIZER_NAMES = Object.keys(TOKENIZERS) as TokenizerName[];
export const DEFAULT_TOKENIZER: TokenizerName = '13a';

/** A tokenizer that is not among those here, such as one that needs a model. */
export interface CustomTokenizer {
  /** What the signature says. */
  name: string;
  tokenize: Tokenize;
}

/** sacreBLEU's tokenizers by SentencePiece models, which it downloads; here a program brings them as a CustomTokenizer. */
export const MODEL_TOKENIZERS = ['spm', 'flores101', 'flores200', 'spBLEU-1K'] as const;
export type ModelTokenizer = (typeof MODEL_TOKENIZERS)[number];

/** Tokenizers that sacreBLEU has and this implementation has not, and what they need. */
const UNSUPPORTED: Record<string, string> = {
  'ja-mecab': 'the MeCab analyser with a Japanese dictionary',
  'ko-mecab': 'the MeCab analyser with a Korean dictionary',
  ...Object.fromEntries(
    MODEL_TOKENIZERS.map((name) => [name, 'a SentencePiece model, which the caller must bring']),
  ),
};

/**
 * The tokenizer for a target language where none is asked for: as in sacreBLEU zh for Chinese, however it is called, and 13a for
 * others. sacreBLEU has MeCab for `ja` and `ko`.
 */
export function tokenizerForLanguage(targetLang: string | undefined): TokenizerName {
  return targetLang !== undefined && isChinese(targetLang) ? 'zh' : DEFAULT_TOKENIZER;
}

/** Tokenizers that find words by what stands between them. */
const BY_SPACES: readonly string[] = ['13a', 'intl'] satisfies TokenizerName[];

/** What is to be said of a tokenizer for a language; undefined where it suits. */
export function adviceOn(tokenizer: string, targetLang: string): string | undefined {
  const usual = tokenizerForLanguage(targetLang);
  if (usual !== DEFAULT_TOKENIZER && tokenizer !== usual) {
    return `for target language '${targetLang}' the tokenizer '${usual}' is usual, not '${tokenizer}'`;
  }
  const language = unsegmentedLanguage(targetLang);
  if (language === undefined || !BY_SPACES.includes(tokenizer)) return undefined;
  return (
    `the tokenizer '${tokenizer}' does not cut ${language} (target language '${targetLang}') into words, so that BLEU counts ` +
    'few matches of long pieces; take chrF, or the tokenizer char or flores200 (sacreBLEU has ja-mecab and ko-mecab as well)'
  );
}

/** @throws UserError for a name that is unknown, or known to sacreBLEU only */
export function getTokenizer(name: string): Tokenize {
  if (Object.hasOwn(TOKENIZERS, name)) return TOKENIZERS[name as TokenizerName];
  if (Object.hasOwn(UNSUPPORTED, name)) {
    throw new UserError({
      problem: `the tokenizer '${name}' is not available here: it needs ${UNSUPPORTED[name]}`,
      where: 'tokenize',
      hint: `Choose one of ${TOKENIZER_NAMES.join(', ')} (char suits languages without spaces), or score with sacreBLEU itself.`,
    });
  }
  throw unknownChoice('tokenize', name, TOKENIZER_NAMES);
}
