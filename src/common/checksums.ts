import { existsSync } from 'node:fs';
import * as path from 'node:path';
import { DamageError } from './errors.js';
import type { FileSum } from './file-sum.js';
import { readJson, writeFileAtomic } from './files.js';
import { refuseNewer } from './format-version.js';
import type { GrownSum } from './growing-sum.js';
import { isSealed, seal, unseal } from './seal.js';

export const CHECKSUMS_FILE = 'checksums.json';
const FORMAT = 'admin-nmt/checksums';
const VERSION = 1;
const HINT =
  'The folder was damaged or changed since it was written. `admin-nmt check FOLDER` says what is whole.';

/** The sums of the files in a folder, as they were written. */
export interface Checksums {
  /** By name in the folder. */
  readonly files: Readonly<Record<string, FileSum>>;
  /** By name beside the folder: how files that only grow began when this was written. */
  readonly beside?: Readonly<Record<string, GrownSum>>;
}

/** Writes the checksums.json of a folder. */
export function writeChecksums(folder: string, checksums: Checksums): void {
  const content = seal({ format: FORMAT, version: VERSION, ...checksums });
  writeFileAtomic(path.join(folder, CHECKSUMS_FILE), `${JSON.stringify(content, null, 1)}\n`);
}

/**
 * Reads the checksums.json of a folder; undefined where there is none, as in folders of earlier versions.
 *
 * @throws DamageError for a file that is damaged, UserError for one of a later version
 */
export function readChecksums(folder: string): Checksums | undefined {
  const file = path.join(folder, CHECKSUMS_FILE);
  if (!existsSync(file)) return undefined;
  const sealed = readJson(file, 'the checksums of a folder', 2 ** 20);
  const found = unseal(sealed, file, HINT) as Partial<Checksums & { format: string; version: number }> | null;
  if (found?.format === FORMAT) refuseNewer(found.version, VERSION, 'the checksums of a folder', file);
  const { files, beside = {} } = found ?? {};
  if (isSealed(sealed) && found?.format === FORMAT && isSums(files) && isSums(beside))
    return { files, beside };
  throw new DamageError({ problem: `expected ${FORMAT}, found something else`, where: file, hint: HINT });
}

/**
 * What a file in a folder is to be; undefined where the folder has no checksums.
 *
 * @throws DamageError where it has, and they are damaged or do not name the file
 */
export function expectedSum(folder: string, name: string): FileSum | undefined {
  const checksums = readChecksums(folder);
  if (checksums === undefined || Object.hasOwn(checksums.files, name)) return checksums?.files[name];
  const where = path.join(folder, CHECKSUMS_FILE);
  throw new DamageError({ problem: `expected the checksum of ${name}, found none`, where, hint: HINT });
}

function isSums(value: unknown): value is Record<string, GrownSum> {
  return (
    typeof value === 'object' &&
    value !== null &&
    Object.values(value).every(
      (sum) =>
        Number.isSafeInteger(sum?.bytes) &&
        [sum.sha256, ...(sum.parts ?? [])].every((hash) => typeof hash === 'string'),
    )
  );
}
