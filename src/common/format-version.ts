import { UserError } from './errors.js';
import { packageVersion } from './files.js';

/**
 * Refuses a file in a format that is newer than this program.
 *
 * @param found the version that the file says it has
 * @param newest the latest one that can be read
 * @param what it is, with its article: `a checkpoint`
 * @throws UserError naming both versions
 */
export function refuseNewer(found: unknown, newest: number, what: string, where: string): void {
  if (typeof found !== 'number' || found <= newest) return;
  throw new UserError({
    problem: `expected ${what} of version ${newest} or before, found version ${found}`,
    where,
    hint: `A later admin-nmt wrote it; this is ${packageVersion()}. Use that one, or a newer one.`,
  });
}
