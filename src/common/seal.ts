import { canonicalHash } from './canonical-hash.js';
import { DamageError } from './errors.js';

/** The content of a JSON file with a checksum of itself. */
export type Sealed<T> = T & { readonly checksum: string };

/** Adds the checksum. It is of what the file says, not of its bytes: white space and the order of keys are free. */
export function seal<T extends object>(content: T): Sealed<T> {
  return { ...content, checksum: canonicalHash(content) };
}

/** Whether parsed JSON has a checksum; files of earlier versions have none. */
export function isSealed(content: unknown): content is Sealed<object> {
  return typeof content === 'object' && content !== null && 'checksum' in content;
}

/**
 * Takes the checksum off again. What has none passes as it is.
 *
 * @param hint what to do about a file that is damaged
 * @throws DamageError where the content is another than was sealed
 */
export function unseal(content: unknown, file: string, hint: string): unknown {
  if (!isSealed(content)) return content;
  const { checksum, ...rest } = content;
  if (canonicalHash(rest) === checksum) return rest;
  throw new DamageError({
    problem: 'the file is not as it was written: its content does not fit its checksum',
    where: file,
    hint,
  });
}
