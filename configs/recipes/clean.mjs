// What becomes of a line of the recipes' text. The official scripts do it with Perl scripts of Moses; these are our
// own words for the part of it that matters to text which is not tokenised.

/** Lines about a talk among those of its text. */
const ABOUT = /<(?:url|talkid|keywords)>/;

/** Each form gives the text of a line, or undefined where the line has none. */
export const forms = {
  plain: (line) => line,
  tags: (line) => (ABOUT.test(line) ? undefined : line.replace(/<\/?(?:title|description)>/g, '')),
  segments: (line) => {
    if (!line.includes('<seg id')) return undefined;
    return line
      .replace(/<seg id="[0-9]*">\s*/g, '')
      .replace(/\s*<\/seg>\s*/g, '')
      .replaceAll('’', "'");
  },
};

/**
 * Quotes, dashes and dots as Moses' normalize-punctuation.perl makes them, and its remove-non-printing-char.perl. Its
 * rules for separators in numbers and for the order of quote and comma are left out.
 */
const PUNCTUATION = [
  [/[\p{Cc}\p{Cf}\p{Co}\p{Cn}]/gu, ' '],
  [/«\s*|\s*»|[„“”]|''|´´/g, '"'],
  [/[‘’‚´`]/g, "'"],
  [/–/g, '-'],
  [/\s*—\s*/g, ' - '],
  [/…/g, '...'],
  [/\s+(?=[%:;!?])/g, ''], // French sets a space before them
];

export function normalise(line) {
  return PUNCTUATION.reduce((text, [pattern, made]) => text.replace(pattern, made), line);
}

/** Words about as Moses' tokenizer makes them: letters and digits in a row are one, any other sign is one. */
export function countWords(line) {
  return line.match(/[\p{L}\p{M}\p{N}]+|[^\s\p{L}\p{M}\p{N}]/gu)?.length ?? 0;
}

/** As clean-corpus-n.perl: neither side shorter than min or longer than max, nor ratio times as long as the other. */
export function fits([source, target], { min, max, ratio }) {
  const [shorter, longer] = [countWords(source), countWords(target)].sort((a, b) => a - b);
  return shorter >= min && longer <= max && longer <= ratio * shorter;
}
