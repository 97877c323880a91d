import { readdirSync } from 'node:fs';
import * as path from 'node:path';
import { UserError } from '../common/errors.js';
import { findParallelText, isTable, type ParallelText, withLinks } from './parallel-text.js';

/**
 * Finds the texts that a path of a corpus means: one, as findParallelText, or with `*` or `?` all that fit, in the order
 * of their names.
 *
 * @param key of the config, for the error
 * @param alignSuffix where the alignments of each are, see withLinks; null for none
 * @throws UserError where there is none, or one of them lacks a side
 */
export function findParallelTexts(
  pattern: string,
  sourceLang: string,
  targetLang: string,
  key: string,
  alignSuffix: string | null = null,
): ParallelText[] {
  const find = (prefix: string): ParallelText => {
    const text = findParallelText(prefix, sourceLang, targetLang, key);
    return alignSuffix === null ? text : withLinks(text, prefix, { suffix: alignSuffix, key, needed: true });
  };
  if (!/[*?]/.test(pattern)) return [find(pattern)];
  const endings = isTable(pattern) ? [''] : [`.${sourceLang}`, `.${sourceLang}.gz`];
  const found = endings.flatMap((ending) =>
    expand(`${pattern}${ending}`).map((file) => file.slice(0, file.length - ending.length)),
  );
  const prefixes = [...new Set(found)].sort();
  if (prefixes.length === 0) {
    throw new UserError({
      problem: `${key}: expected files, found none that fits`,
      where: isTable(pattern) ? pattern : `${pattern}.${sourceLang}`,
      hint: '* stands for any characters and ? for one, within a name; the path is relative to data.root.',
    });
  }
  return prefixes.map(find);
}

/** The files that fit a pattern, folder by folder. */
function expand(pattern: string): string[] {
  const [root, ...names] = pattern.split(path.sep);
  return names.reduce(
    (places, name) =>
      places.flatMap((place) => {
        if (!/[*?]/.test(name)) return [`${place}${path.sep}${name}`];
        return list(place || path.sep)
          .filter((entry) => fits(entry, name))
          .map((entry) => `${place}${path.sep}${entry}`);
      }),
    [root],
  );
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // then nothing in it fits
  }
}

function fits(name: string, pattern: string): boolean {
  const escaped = pattern.replace(/[.+^${}()|[\]\\]/g, '\\$&');
  const expression = escaped.replaceAll('*', '.*').replaceAll('?', '.');
  return (pattern.startsWith('.') || !name.startsWith('.')) && new RegExp(`^${expression}$`, 's').test(name);
}
