import { existsSync, readdirSync, statSync } from 'node:fs';
import * as path from 'node:path';
import { readChecksums } from '../common/checksums.js';
import { explainFileError, UserError } from '../common/errors.js';
import type { FileSum } from '../common/file-sum.js';
import { readJson, sha256File } from '../common/files.js';
import { refuseNewer } from '../common/format-version.js';
import { seal, unseal } from '../common/seal.js';
import type { DropReason, FilterOptions } from './filters.js';
import type { SideSummary } from './side-summary.js';
import { VERIFIED_FILE, verifyFiles } from './verified.js';

export const MANIFEST_FILE = 'manifest.json';
const FORMAT = 'admin-nmt dataset';
const HINT = 'Make the dataset again with `admin-nmt preprocess --overwrite`.';
/** Raised whenever the same text and config give another dataset. */
export const MANIFEST_VERSION = 1;

/** A file that the dataset was made from. */
export interface ManifestInput {
  /** What it is in the dataset: `train.de`, `valid` (both sides in one .tsv), `tokenizer`. */
  readonly role: string;
  readonly path: string;
  readonly bytes: number;
  /** Time of its last change, ISO 8601. */
  readonly modified: string;
  readonly sha256: string;
  /** Null where it is no text. */
  readonly lines: number | null;
}

export interface SplitSummary {
  /** Pairs read. */
  readonly pairs: number;
  readonly kept: number;
  /** Pairs that were filtered out, by reason; validation and test text loses none. */
  readonly dropped: Partial<Record<DropReason, number>>;
  /** Links between tokens of the pairs kept, where the text is aligned. */
  readonly links?: number;
  /** By language. */
  readonly sides: Readonly<Record<string, SideSummary>>;
}

/** What a dataset was made from and what became of it. */
export interface Manifest {
  readonly format: typeof FORMAT;
  readonly version: number;
  /** Hash of the part of the config that the dataset depends on. */
  readonly dataHash: string;
  readonly seed: number;
  readonly languages: { readonly source: string; readonly target: string };
  readonly inputs: readonly ManifestInput[];
  readonly splits: Readonly<Record<string, SplitSummary>>;
  /** The corpora of the training text, in their order, where it has several. */
  readonly corpora?: readonly {
    readonly name: string;
    /** Its name in `splits` and in the names of the files. */
    readonly split: string;
    readonly tag: string | null;
    readonly filter: FilterOptions;
  }[];
  /** What its ids depend on, so that those of a split can be taken over; manifests of before have none. */
  readonly encoding?: {
    /** Names what of the config tokenizers are trained by. */
    readonly vocabulary: string;
    /** How often a language must have a piece to be given it; none where that does not matter. */
    readonly vocabularyThreshold?: number;
    /** Whether the dictionaries were given, not counted. */
    readonly givenDictionaries: boolean;
    /** What names all else, by split (see keyOfPart). */
    readonly splits: Readonly<Record<string, string>>;
  };
  /** Symbols of each dictionary, special ones and filling included, and the hash of its file. */
  readonly dictionaries: Readonly<Record<string, { readonly size: number; readonly sha256: string }>>;
  /** Names of the files in the folder, this one included. */
  readonly files: readonly string[];
  /** The sum of each of them but this one; manifests of before have none. */
  readonly checksums?: Readonly<Record<string, FileSum>>;
}

/** A manifest of what it holds, in the form of this version. */
export function createManifest(content: Omit<Manifest, 'format' | 'version'>): Manifest {
  return { format: FORMAT, version: MANIFEST_VERSION, ...content };
}

/** The text of manifest.json. */
export function formatManifest(manifest: Manifest): string {
  return `${JSON.stringify(seal(manifest), null, 2)}\n`;
}

/** Whether a folder holds a dataset with a manifest. */
export function hasManifest(destdir: string): boolean {
  return existsSync(path.join(destdir, MANIFEST_FILE));
}

/** Reads the manifest of a dataset. @throws UserError where there is none, or it is damaged or of another version */
export function readManifest(destdir: string): Manifest {
  const file = path.join(destdir, MANIFEST_FILE);
  const found = unseal(readJson(file, 'the manifest of a dataset'), file, HINT) as Partial<Manifest> | null;
  if (found?.format !== FORMAT || typeof found.version !== 'number') {
    throw unusable(file, `expected a manifest with format '${FORMAT}', found another file`);
  }
  refuseNewer(found.version, MANIFEST_VERSION, 'a dataset', file);
  if (found.version !== MANIFEST_VERSION) {
    throw unusable(
      file,
      `expected a manifest of version ${MANIFEST_VERSION}, found version ${found.version}`,
    );
  }
  const whole =
    typeof found.dataHash === 'string' &&
    Array.isArray(found.inputs) &&
    Array.isArray(found.files) &&
    isObject(found.splits) &&
    isObject(found.dictionaries) &&
    isObject(found.checksums ?? {}) &&
    isObject(found.encoding ?? { splits: {} }) &&
    isObject((found.encoding ?? { splits: {} }).splits) &&
    found.inputs.every((input) => isObject(input) && 'role' in input);
  if (!whole)
    throw unusable(file, 'expected dataHash, inputs, splits, dictionaries and files, found only some');
  return found as Manifest;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function unusable(file: string, problem: string): UserError {
  return new UserError({
    problem,
    where: file,
    hint: HINT,
  });
}

/**
 * Compares every file of a dataset with its checksum (see verifyFiles).
 *
 * @throws DamageError naming the first that is not as it was written
 */
export function verifyDataset(
  destdir: string,
  { checksums = {} }: Manifest,
  options: { again?: boolean } = {},
): void {
  verifyFiles(destdir, checksums, HINT, options);
}

/**
 * What the files in a folder of ours are to be, by name: of a run directory, or of a dataset. Empty for one of others, or
 * of before there were checksums.
 *
 * @throws UserError where the folder says so in a file that is damaged or of a later version
 */
export function sumsOf(folder: string): Readonly<Record<string, FileSum>> {
  const checksums = readChecksums(folder)?.files;
  if (checksums !== undefined) return checksums;
  return (hasManifest(folder) ? readManifest(folder).checksums : undefined) ?? {};
}

/** A file that a dataset would be made from now. */
export interface CurrentInput {
  readonly role: string;
  readonly path: string;
}

/** What was read of a file. */
interface InputDigest {
  readonly bytes: number;
  readonly sha256: string;
  readonly lines?: number;
}

/** What the manifest says of files of now. @param digests of those that were read, by role */
export function describeInputs(
  inputs: readonly CurrentInput[],
  digests: ReadonlyMap<string, InputDigest>,
): ManifestInput[] {
  return inputs.map(({ role, path: file }) => {
    const { size, mtime } = statSync(file);
    const { bytes, sha256, lines = null } = digests.get(role) ?? ofFile(file, size);
    return { role, path: file, bytes, modified: mtime.toISOString(), sha256, lines };
  });
}

const ofFile = (file: string, bytes: number): InputDigest => ({ bytes, sha256: sha256File(file) });

/**
 * Why a dataset is not what preprocess would make now, in words, or undefined where it is. A file counts as
 * unchanged when path, size and time of change are those of the manifest, or else its checksum is.
 */
export function isStale(
  destdir: string,
  manifest: Manifest,
  dataHash: string,
  inputs: readonly CurrentInput[],
): string | undefined {
  const missing = manifest.files.find((name) => !existsSync(path.join(destdir, name)));
  if (missing !== undefined) return `${path.join(destdir, missing)} is missing`;
  if (manifest.dataHash !== dataHash) return 'the data section of the config has changed';
  const recorded = new Map(manifest.inputs.map((input) => [input.role, input]));
  for (const input of inputs) {
    const before = recorded.get(input.role);
    recorded.delete(input.role);
    if (before === undefined) return `${input.path} was not there when it was made`;
    if (hasChanged(input, before)) return `${input.path} has changed since`;
  }
  const [gone] = recorded.values();
  return gone === undefined ? undefined : `it was made from ${gone.path} too, which the config does not name`;
}

function hasChanged(input: CurrentInput, before: ManifestInput): boolean {
  try {
    const { size, mtime } = statSync(input.path);
    if (size !== before.bytes) return true;
    const sameFile = input.path === before.path && mtime.toISOString() === before.modified;
    return !sameFile && sha256File(input.path) !== before.sha256;
  } catch (error) {
    throw explainFileError(error, input.path);
  }
}

/**
 * Makes sure that a folder may be replaced: it is not there, is empty, or holds a dataset of ours and nothing else.
 *
 * @throws UserError where something of others would be lost
 */
export function checkReplaceable(destdir: string): void {
  let names: string[];
  try {
    names = readdirSync(destdir);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw explainFileError(error, destdir);
  }
  if (names.length === 0) return;
  const ours = hasManifest(destdir) ? ourFiles(destdir) : undefined;
  const stranger = names.find((name) => ours === undefined || !ours.includes(name));
  if (stranger === undefined) return;
  const found = ours === undefined ? `a folder without ${MANIFEST_FILE}` : `'${stranger}' in it too`;
  throw new UserError({
    problem: `expected an empty folder or a dataset of admin-nmt, which would be replaced; found ${found}`,
    where: destdir,
    hint: 'Choose another data.destdir (--destdir), or move the files; for a data-bin of fairseq set data.prepared.',
  });
}

/** The names that a manifest of any version lists. */
function ourFiles(destdir: string): readonly unknown[] {
  const manifest = readJson(path.join(destdir, MANIFEST_FILE), 'the manifest of a dataset');
  const { format, files } = (manifest ?? {}) as Partial<Manifest>;
  return format === FORMAT && Array.isArray(files) ? [...files, VERIFIED_FILE] : [];
}
