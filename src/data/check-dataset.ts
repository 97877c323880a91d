import { existsSync, readdirSync } from 'node:fs';
import * as path from 'node:path';
import { DamageError, explainFileError, UserError } from '../common/errors.js';
import { sumFile } from '../common/file-input.js';
import { checkSum } from '../common/file-sum.js';
import { damaged, examine, type Finding, unverified } from '../common/findings.js';
import { Dictionary } from './dictionary.js';
import { hasManifest, MANIFEST_FILE, type Manifest, readManifest } from './manifest.js';
import { ParallelDataset } from './parallel-dataset.js';

/**
 * Looks at all of a dataset, one of fairseq's included: manifest, checksums, dictionaries, indices, every sentence.
 *
 * @param checkTokenizer looks at a .model. @returns what it is, in words
 */
export function checkDataset(destdir: string, checkTokenizer: (file: string) => string): Finding[] {
  const names = list(destdir);
  const at = (name: string): string => path.join(destdir, name);
  let manifest: Manifest | undefined;
  const first = examine(at(MANIFEST_FILE), () => {
    if (!hasManifest(destdir))
      return unverified(at(MANIFEST_FILE), 'there is none: a dataset of others, without checksums');
    manifest = readManifest(destdir);
    if (manifest.checksums !== undefined) return `${manifest.files.length} files and their sums`;
    return unverified(at(MANIFEST_FILE), 'it has no checksums: bits that changed since cannot be told');
  });
  const findings = [first, ...checkFiles(destdir, manifest)];
  const looks: [what: string, look: () => string][] = [
    ...names
      .filter((name) => /^dict\..+\.txt$/.test(name))
      .map((name): [string, () => string] => [at(name), () => checkDictionary(at(name))]),
    ...names
      .filter((name) => name.endsWith('.model'))
      .map((name): [string, () => string] => [at(name), () => checkTokenizer(at(name))]),
    ...splitsOf(names).map(([split, source, target]): [string, () => string] => [
      at(`${split}.${source}-${target}`),
      () => checkSplit(destdir, split, source, target),
    ]),
  ];
  for (const [what, look] of looks) {
    // What is known to be damaged is not read any further.
    const known = findings.some((finding) => finding.verdict === 'damaged' && finding.what.startsWith(what));
    if (!known) findings.push(examine(what, look));
  }
  return findings;
}

/** Sums of the files, as the manifest has them; without sums, that they are there. */
function checkFiles(destdir: string, manifest: Manifest | undefined): Finding[] {
  const { files = [], checksums = {} } = manifest ?? {};
  const other = files.filter((name) => name !== MANIFEST_FILE && !Object.hasOwn(checksums, name));
  return [
    ...Object.entries(checksums).map(([name, expected]) => {
      const file = path.join(destdir, name);
      return examine(file, () => {
        checkSum(file, sumFile(file), expected);
        return `${expected.bytes} bytes as they were written`;
      });
    }),
    ...other
      .map((name) => path.join(destdir, name))
      .filter((file) => !existsSync(file))
      .map((file) => damaged(file, new DamageError({ problem: 'no such file', where: file }))),
  ];
}

function list(destdir: string): string[] {
  try {
    return readdirSync(destdir).sort();
  } catch (error) {
    throw explainFileError(error, destdir);
  }
}

/** Looks at a dictionary. @returns what it is, in words */
export function checkDictionary(file: string): string {
  return `${Dictionary.load(file).size} symbols`;
}

/** The splits that a folder has, by the names of their indices: `train.de-en.de.idx`. */
function splitsOf(names: readonly string[]): [split: string, source: string, target: string][] {
  const found = new Map<string, [string, string, string]>();
  for (const name of names) {
    const match = /^(.+)\.([^.]+)-([^.]+)\.([^.]+)\.(?:idx|bin)$/.exec(name);
    if (match === null) continue;
    const [, split, source, target] = match;
    found.set(`${split}.${source}-${target}`, [split, source, target]);
  }
  return [...found.values()];
}

/** Reads every pair of a split. @throws UserError for one that does not fit the dictionaries */
function checkSplit(destdir: string, split: string, source: string, target: string): string {
  const aligned = ParallelDataset.isAligned(destdir, split, source, target);
  const dataset = ParallelDataset.open(destdir, split, source, target, { aligned });
  try {
    dataset.check();
    if (dataset.size === 0) throw new UserError({ problem: 'expected pairs, found none', where: destdir });
    return `${dataset.size} pairs, every number in its dictionary${aligned ? ', every link between tokens' : ''}`;
  } finally {
    dataset.close();
  }
}
