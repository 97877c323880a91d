import { readFileSync } from 'node:fs';
import * as path from 'node:path';
import { packageRoot } from '../../common/files.js';

/** The part of a script that is the same whatever the commands are. @param name of the file in this folder */
export function shellCode(name: string): string {
  return readFileSync(path.join(packageRoot(), 'src/cli/completion', name), 'utf8');
}

/** Text as one word of bash or zsh. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
