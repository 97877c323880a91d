import { readdirSync, readFileSync } from 'node:fs';
import * as path from 'node:path';
import { canonicalHash } from '../common/canonical-hash.js';
import { packageRoot, packageVersion, sha256 } from '../common/files.js';

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
  const sums = files.sort().map((file) => [file, sha256(readFileSync(path.join(code, file)))]);
  return `${packageVersion()} (${canonicalHash(sums).slice(0, 12)})`;
}
