import { packageVersion } from '../../common/files.js';
import { shellLine } from '../../common/shell-words.js';
import type { PageOrigin } from '../../report/page-header.js';

/**
 * How a page that is made now comes to be.
 *
 * @param args of the command line; none where a program makes it
 */
export function pageOrigin(args: readonly string[] = []): PageOrigin {
  const command = shellLine(['admin-nmt', ...args]);
  return { version: packageVersion(), date: formatDate(new Date()), command };
}

/** `2020-11-16 09:30 UTC`. */
export function formatDate(date: Date): string {
  return `${date.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}
