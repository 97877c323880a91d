import { type DocumentPart, type Piece, partOf } from './part.js';

export interface ProseOptions {
  /** Of the text, such as `de`: its rules say where sentences end. */
  language: string;
  /** Of the translation: whether it has spaces between sentences. */
  targetLanguage: string;
  /** Whether a model can take a text at once; what is longer is divided between words. */
  fits?: (text: string) => boolean;
}

/** Takes a text apart into sentences. White space between them, line breaks above all, stays where it is. */
export function prose(text: string, options: ProseOptions): DocumentPart {
  const lines = text.split(/(\r?\n)/); // every second one is a line break
  return partOf(lines.flatMap((line, i): Piece[] => (i % 2 === 1 ? [line] : piecesOf(line, options))));
}

function piecesOf(line: string, options: ProseOptions): Piece[] {
  const sentences = sentencesOf(line, options.language).flatMap((sentence) =>
    fitting(sentence, options.fits),
  );
  return sentences.flatMap((sentence, i): Piece[] => {
    const segment = sentence.trim();
    if (segment === '') return [sentence];
    const start = sentence.indexOf(segment);
    const space = sentence.slice(start + segment.length);
    const last = i === sentences.length - 1;
    return [
      sentence.slice(0, start),
      { segment },
      space === '' && !last && !isSpaceless(options.targetLanguage) ? ' ' : space,
    ];
  });
}

/** Languages that are written without spaces. */
const isSpaceless = (language: string): boolean => /^(zh|ja|th|lo|km|my|yue)\b/i.test(language);

/** Words whose full stop ends no sentence, in languages of Europe; nor does one of a single letter, or of a day. */
const TITLES = 'Mr Mrs Ms Dr Prof Hr Mme Mlle Sr Sra Nr bzw ca vgl'.split(' ').join('|');
const GOES_ON = new RegExp(String.raw`(?:^|[\s(.„“"])(?:\p{L}|\d\d?|${TITLES})\.\s*$`, 'u');

/** The sentences of a line with the white space behind each of them. */
function sentencesOf(line: string, language: string): string[] {
  const sentences: string[] = [];
  for (const { segment } of segmenterOf(language).segment(line)) {
    const before = sentences.at(-1);
    if (before !== undefined && (GOES_ON.test(before) || /^\p{Ll}/u.test(segment)))
      sentences.push(sentences.pop() + segment);
    else sentences.push(segment);
  }
  return sentences;
}

const segmenters = new Map<string, Intl.Segmenter>();

function segmenterOf(language: string): Intl.Segmenter {
  const known = segmenters.get(language);
  if (known !== undefined) return known;
  const segmenter = new Intl.Segmenter(localesOf(language), { granularity: 'sentence' });
  segmenters.set(language, segmenter);
  return segmenter;
}

/** Any language that Intl takes; names of other kinds get the rules that most languages share. */
function localesOf(language: string): string[] {
  try {
    return Intl.getCanonicalLocales(language.replace('_', '-'));
  } catch {
    return [];
  }
}

/** Parts of a sentence that fit, by halves at the white space nearest to the middle; a single word stays whole. */
function fitting(sentence: string, fits: ProseOptions['fits']): string[] {
  if (fits === undefined || fits(sentence)) return [sentence];
  const gaps = [...sentence.trimEnd().matchAll(/\S(\s+)(?=\S)/g)].map(
    ({ index, 0: gap }) => index + gap.length,
  );
  if (gaps.length === 0) return [sentence];
  const middle = sentence.length / 2;
  const at = gaps.reduce((best, gap) => (Math.abs(gap - middle) < Math.abs(best - middle) ? gap : best));
  return [sentence.slice(0, at), sentence.slice(at)].flatMap((half) => fitting(half, fits));
}
