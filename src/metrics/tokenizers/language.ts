/** Reading language tags: BCP 47 as `zh-Hant`, ISO 639-1 and -3 as `zh` and `cmn`, and their spellings with `_`, as `zh_CN` and `zho_Hans`. */

import { UserError } from '../../common/errors.js';

/** Codes that BCP 47 does not know: of ISO 639-2/B, and of countries in place of their languages. */
const ALIASES: Readonly<Record<string, string>> = { chi: 'zh', bur: 'my', tib: 'bo', cn: 'zh', jp: 'ja' };

/** What is written with Chinese characters alone. */
const CHINESE = ['Hans', 'Hant', 'Hani', 'Hanb', 'Bopo'];
/**
 * Scripts of text whose words no tokenizer finds by white space and punctuation, by ISO 15924: of Japanese, Korean (where what
 * stands between spaces is a word with all its particles), Thai, Lao, Khmer, Burmese, Tibetan, Javanese, Balinese, Tai and Yi.
 */
const UNSEGMENTED =
  'Jpan Hrkt Hira Kana Kore Hang Thai Laoo Khmr Mymr Tibt Java Bali Lana Tale Talu Tavt Yiii Cham'.split(' ');

/** What a language tag says of text: where BCP 47 knows no script of the language it says nothing. */
export function scriptOf(tag: string): string | undefined {
  return localeOf(tag)?.maximize().script;
}

/** Whether text in this language is written with Chinese characters. */
export function isChinese(tag: string): boolean {
  return CHINESE.includes(scriptOf(tag) ?? '');
}

/** The name of a language whose words stand without anything between them, such as `Japanese`; undefined of any other. */
export function unsegmentedLanguage(tag: string): string | undefined {
  if (!UNSEGMENTED.includes(scriptOf(tag) ?? '')) return undefined;
  return nameOf('language', localeOf(tag)!.language) ?? tag;
}

/**
 * The second language of a pair such as `de-en`. Each may be a tag with a script and a region (`en-zh-Hans`, `zh-CN-en`): what
 * follows the first language belongs to it where it is such, and what comes after is a language.
 *
 * @throws UserError for what is no pair
 */
export function targetOfPair(pair: string): string {
  const parts = pair.split('-');
  if (parts.length < 2 || parts.includes('')) {
    throw new UserError({
      problem: `expected two languages with - between them, as de-en; found '${pair}'`,
      where: '--language-pair',
      hint: 'A single language is given with --target-lang.',
    });
  }
  let at = 1;
  while (at < parts.length - 1 && isSubtag(parts[at]) && isLanguage(parts[at + 1])) at++;
  return parts.slice(at).join('-');
}

function isSubtag(part: string): boolean {
  return part.length === 4 || nameOf('region', part.toUpperCase()) !== undefined;
}

function isLanguage(part: string): boolean {
  const language = localeOf(part)?.language;
  return language !== undefined && nameOf('language', language) !== undefined;
}

/** As much of a tag as can be read. */
function localeOf(tag: string): Intl.Locale | undefined {
  const [language, ...parts] = tag.split(/[-_]/);
  const known = [ALIASES[language.toLowerCase()] ?? language, ...parts];
  for (let length = known.length; length > 0; length--) {
    try {
      return new Intl.Locale(known.slice(0, length).join('-'));
    } catch {
      // what stands at the end is no subtag
    }
  }
  return undefined;
}

function nameOf(type: 'language' | 'region', code: string): string | undefined {
  try {
    return new Intl.DisplayNames('en', { type, fallback: 'none' }).of(code);
  } catch {
    return undefined; // it has not the form of a code
  }
}
