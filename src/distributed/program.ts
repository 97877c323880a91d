import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import * as path from 'node:path';
import { packageRoot, packageVersion } from '../common/files.js';

/**
 * Names this program as it was built: builds of one version may differ. What is compiled for a host, its kernels, is not
 * in it.
 *
 * @param root the folder of the package
 * @returns the version, and the start of a hash of all code: `0.1.0 (3f2a91c0b4d8)`
 */
export function describeProgram(root = packageRoot()): string {
  const code = path.join(root, 'dist/src');
  const files = readdirSync(code, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.js'),
  );
  const hash = createHash('sha256');
  for (const file of files.sort()) {
    const content = readFileSync(path.join(code, file));
    hash.update(`${file}\n${content.length}\n`).update(content);
  }
  return `${packageVersion()} (${hash.digest('hex').slice(0, 12)})`;
}
