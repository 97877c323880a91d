import { canonicalHash } from '../common/canonical-hash.js';
import { DamageError, UserError } from '../common/errors.js';
import { Summing } from '../common/file-sum.js';
import { refuseNewer } from '../common/format-version.js';
import { type NamedArray, readSafetensors, writeSafetensors } from '../formats/safetensors.js';
import { Shortlist, type ShortlistParts } from './shortlist.js';

/** Its name in a run directory. */
export const SHORTLIST_FILE = 'shortlist.safetensors';

const FORMAT = 'admin-nmt/shortlist';
const VERSION = 1;
const HINT = 'Make it again with `admin-nmt shortlist`.';
const NAMES = ['frequent', 'counts', 'targets'] as const satisfies readonly (keyof ShortlistParts)[];

/** A dictionary, as far as a shortlist is bound to it. */
export interface Vocabulary {
  readonly size: number;
  /** SHA-256 of dict.txt. */
  readonly hash: string;
}

export interface Vocabularies {
  readonly source: Vocabulary;
  readonly target: Vocabulary;
}

/**
 * Writes a shortlist: safetensors of `frequent`, `counts` and `targets`, whose ids float32 holds exactly, with the hashes
 * of both dictionaries and a checksum of all that the file says.
 */
export function writeShortlist(file: string, { parts }: Shortlist, { source, target }: Vocabularies): void {
  const tensors = new Map(
    NAMES.map((name): [string, NamedArray] => {
      return [name, { shape: [parts[name].length], data: Float32Array.from(parts[name]) }];
    }),
  );
  const about = { format: FORMAT, version: String(VERSION), source: source.hash, target: target.hash };
  writeSafetensors(file, tensors, { ...about, checksum: checksumOf(about, tensors) });
}

/**
 * Reads a shortlist.
 *
 * @param vocabularies of the model that it is for
 * @throws UserError where it is missing, damaged, no shortlist, or made for other dictionaries
 */
export function readShortlist(file: string, vocabularies: Vocabularies): Shortlist {
  const { tensors, metadata } = readSafetensors(file);
  const { checksum, ...about } = metadata;
  if (about.format !== FORMAT) {
    throw new UserError({
      problem: `expected a shortlist, found ${describe(about.format)}`,
      where: file,
      hint: 'Give the file that `admin-nmt shortlist` wrote.',
    });
  }
  refuseNewer(Number(about.version), VERSION, 'a shortlist', file);
  const damaged = (problem: string): UserError => new DamageError({ problem, where: file, hint: HINT });
  if (checksum !== checksumOf(about, tensors))
    throw damaged('the file is not as it was written: its content does not fit its checksum');
  for (const side of ['source', 'target'] as const) {
    if (about[side] !== vocabularies[side].hash) throw otherVocabulary(file, side, about[side], vocabularies);
  }
  const parts = partsIn(tensors, vocabularies);
  if (parts === undefined) throw damaged('expected lists of ids of both dictionaries, found others');
  return new Shortlist(parts);
}

/** What the tensors hold; undefined where that is no shortlist of these dictionaries. */
function partsIn(
  tensors: ReadonlyMap<string, NamedArray>,
  { source, target }: Vocabularies,
): ShortlistParts | undefined {
  const [frequent, counts, targets] = NAMES.map((name) => Int32Array.from(tensors.get(name)?.data ?? []));
  const isId = (id: number): boolean => id >= 0 && id < target.size;
  const total = counts.reduce((sum, count) => (count < 0 ? Number.NaN : sum + count), 0);
  const fits = counts.length === source.size && total === targets.length;
  return fits && frequent.every(isId) && targets.every(isId) ? { frequent, counts, targets } : undefined;
}

function describe(format: string | undefined): string {
  return format === undefined ? 'another safetensors file' : `a safetensors file of format '${format}'`;
}

function checksumOf(about: Record<string, string>, tensors: ReadonlyMap<string, NamedArray>): string {
  const sums = Array.from(tensors, ([name, { data }]) => {
    const summing = new Summing();
    summing.add(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    return [name, summing.finish().sha256];
  });
  return canonicalHash([about, sums.sort()]);
}

function otherVocabulary(
  where: string,
  side: keyof Vocabularies,
  found: string,
  vocabularies: Vocabularies,
): UserError {
  const { size, hash } = vocabularies[side];
  return new UserError({
    problem: `expected a shortlist for the ${side} dictionary of the model, of ${size} symbols (SHA-256 ${hash.slice(0, 8)}…), found one for another (${found.slice(0, 8)}…)`,
    where,
    hint: 'Make one for this run with `admin-nmt shortlist RUN`.',
  });
}
