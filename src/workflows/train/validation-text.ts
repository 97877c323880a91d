import * as path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { userErrorOf } from '../../common/errors.js';
import type { DataConfig } from '../../config/schema.js';
import { hasManifest, readManifest } from '../../data/manifest.js';
import { findParallelText, type PairBlock, readPairs } from '../../data/parallel-text.js';

/**
 * The text that the validation split of `data.destdir` was made from, as it was before any cleaning: line n is pair n,
 * since nothing filters that text.
 *
 * @returns null where others made the dataset, or the text is not here any more or has changed since
 */
export async function readValidationText(data: DataConfig): Promise<PairBlock | null> {
  const { destdir, root, valid, sourceLang, targetLang } = data;
  if (valid === null || !hasManifest(destdir)) return null;
  const { inputs } = readManifest(destdir);
  const expected = inputs.filter(({ role }) => role === 'valid' || role.startsWith('valid.'));
  try {
    const text = findParallelText(path.resolve(root, valid), sourceLang, targetLang, 'data.valid');
    const source: string[] = [];
    const target: string[] = [];
    const pairs = readPairs(text);
    let step = await pairs.next();
    for (; !step.done; step = await pairs.next()) {
      for (const line of step.value.source) source.push(line);
      for (const line of step.value.target) target.push(line);
    }
    const found = step.value.map(({ sha256 }) => sha256);
    const made = expected.map(({ sha256 }) => sha256);
    return isDeepStrictEqual(found, made) ? { source, target } : null;
  } catch (error) {
    userErrorOf(error);
    return null;
  }
}
