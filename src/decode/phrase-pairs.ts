import { UserError } from '../common/errors.js';
import { readFileBounded } from '../common/file-input.js';
import { checkText } from '../data/line-bytes.js';

const MOST_BYTES = 2 ** 26;

/**
 * Reads lines of a source phrase, a tab and a target phrase; blank ones and those that begin with # are passed over.
 *
 * @param what the file is, for an error
 * @returns target phrases by source phrases
 * @throws UserError with `file:line` for any other line, for text that is not UTF-8, and for a phrase that has two translations
 */
export function readPhrasePairs(file: string, what: string): Map<string, string> {
  const pairs = new Map<string, string>();
  const bytes = readFileBounded(file, what, MOST_BYTES);
  checkText(bytes, file, 1);
  const lines = bytes
    .toString('utf8')
    .replace(/^\ufeff/, '')
    .split('\n');
  lines.forEach((line, i) => {
    if (line.trim() === '' || line.startsWith('#')) return;
    const where = `${file}:${i + 1}`;
    const [source, target, ...more] = line.split('\t').map((phrase) => phrase.trim());
    if (!source || !target || more.length > 0)
      throw new UserError({
        problem: `expected a source phrase, a tab and a target phrase, found '${line.slice(0, 60)}'`,
        where,
        hint: 'Lines that begin with # are notes.',
      });
    const other = pairs.get(source);
    if (other !== undefined && other !== target)
      throw new UserError({
        problem: `expected one translation of '${source}', found '${other}' and '${target}'`,
        where,
        hint: 'Remove one of the two lines.',
      });
    pairs.set(source, target);
  });
  return pairs;
}
