import { existsSync } from 'node:fs';
import * as path from 'node:path';
import { expectedSum, writeChecksums } from '../common/checksums.js';
import { DamageError, UserError } from '../common/errors.js';
import { sumOf } from '../common/file-sum.js';
import { readJson, writeFileAtomic, writeFolderAtomic } from '../common/files.js';
import { refuseNewer } from '../common/format-version.js';
import type { ValidationFigures } from '../common/validation-figures.js';
import { type NamedArray, writeSafetensors } from '../formats/safetensors.js';
import { readWeights } from '../formats/weights-file.js';
import { MODEL_FILE, type NumberedCheckpoint } from './checkpoint-folders.js';
import type { SelectedCheckpoint } from './select-checkpoints.js';
import type { CheckpointOrigin } from './state.js';

/** Tells an average from a checkpoint of training, and says what went into it. */
const AVERAGE_FILE = 'average.json';
const FORMAT = 'admin-nmt/average';
const VERSION = 1;

/** What an average says of itself. */
export interface AverageContent {
  origin: CheckpointOrigin;
  checkpoints: readonly NumberedCheckpoint[];
  /** What it scores on the validation split, where that was asked for. */
  figures?: ValidationFigures | null;
}

/** A tensor while it is summed. */
interface Sum {
  shape: readonly number[];
  /** Double precision, as sums of float32 are exact or nearly so there. */
  data: Float64Array;
}

/**
 * Writes the mean of checkpoints as a folder to translate with: the whole of it or nothing. In memory are one model
 * in double precision and one checkpoint.
 *
 * @param checkpoints at least one
 * @param mean of them
 * @throws UserError when names or shapes of their tensors differ, or a value is not finite
 */
export async function writeAverage(
  folder: string,
  checkpoints: readonly SelectedCheckpoint[],
  mean = averageWeights(checkpoints.map(weightsOf)),
  figures?: AverageContent['figures'],
): Promise<void> {
  const members = checkpoints.map(({ name, epoch, updates }) => ({ name, epoch, updates }));
  const content: AverageContent = { origin: checkpoints[0].origin, checkpoints: members, figures };
  const about = `${JSON.stringify({ format: FORMAT, version: VERSION, ...content }, null, 1)}\n`;
  await writeFolderAtomic(folder, (temporary) => {
    const weights = writeSafetensors(path.join(temporary, MODEL_FILE), mean, { format: 'pt' });
    writeFileAtomic(path.join(temporary, AVERAGE_FILE), about);
    writeChecksums(temporary, { files: { [MODEL_FILE]: weights, [AVERAGE_FILE]: sumOf(about) } });
  });
}

/**
 * What went into an average.
 *
 * @throws DamageError for a file that is damaged, UserError for one of a later version
 */
export function readAverage(folder: string): AverageContent {
  const file = path.join(folder, AVERAGE_FILE);
  const found = readJson(file, 'an average', 2 ** 20, expectedSum(folder, AVERAGE_FILE)) as Partial<
    AverageContent & { format: string; version: number }
  > | null;
  const { origin, checkpoints, figures } = found ?? {};
  if (found?.format === FORMAT) refuseNewer(found.version, VERSION, 'an average', file);
  if (found?.format === FORMAT && origin?.vocabulary && Array.isArray(checkpoints))
    return { origin, checkpoints, figures };
  throw new DamageError({
    problem: `expected ${FORMAT} with its origin, found something else`,
    where: file,
    hint: 'Make it again with `admin-nmt average`.',
  });
}

/** The file with the weights of a checkpoint. */
export function weightsOf({ folder }: SelectedCheckpoint): string {
  return path.join(folder, MODEL_FILE);
}

/**
 * The mean of each tensor over files of the same tensors.
 *
 * @param files at least one; read one after another
 * @throws UserError when names or shapes differ, or a value is not finite
 */
export function averageWeights(files: readonly string[]): Map<string, NamedArray> {
  const [first, ...others] = files;
  const sums = new Map<string, Sum>();
  for (const [name, { shape, data }] of readWeights(path.dirname(first), path.basename(first))) {
    sums.set(name, { shape, data: Float64Array.from(data) });
  }
  for (const file of others) {
    const tensors = readWeights(path.dirname(file), path.basename(file));
    checkSameTensors(tensors, sums, file, first);
    for (const [name, { data }] of tensors) add(sums.get(name)!.data, data);
  }
  return new Map(
    [...sums].map(([name, { shape, data }]) => [name, { shape, data: divide(data, files.length) }]),
  );
}

function checkSameTensors(
  found: ReadonlyMap<string, NamedArray>,
  expected: ReadonlyMap<string, Sum>,
  file: string,
  first: string,
): void {
  const describe = (tensor?: { shape: readonly number[] }): string =>
    tensor === undefined ? 'none' : `[${tensor.shape}]`;
  for (const name of new Set([...expected.keys(), ...found.keys()])) {
    const [wanted, had] = [describe(expected.get(name)), describe(found.get(name))];
    if (wanted === had) continue;
    throw new UserError({
      problem: `expected '${name}' as in ${first}, ${wanted}; found ${had}`,
      where: file,
      hint: 'Only checkpoints of one model can be averaged.',
    });
  }
}

function add(sum: Float64Array, values: Float32Array): void {
  for (let i = 0; i < sum.length; i++) sum[i] += values[i];
}

/** The quotients, in the memory of the sums: value i is written below what is still to be read. */
function divide(sum: Float64Array, count: number): Float32Array {
  const mean = new Float32Array(sum.buffer, 0, sum.length);
  for (let i = 0; i < sum.length; i++) mean[i] = sum[i] / count;
  return mean;
}

/** Whether a folder holds an average. */
export function isAverage(folder: string): boolean {
  return existsSync(path.join(folder, AVERAGE_FILE));
}

/** @throws UserError where a folder to go on from holds an average */
export function refuseAverage(folder: string): void {
  if (!isAverage(folder)) return;
  throw new UserError({
    problem: 'expected a checkpoint to go on from, found an average, which has no state of the optimizer',
    where: folder,
    hint: 'An average is for translating. Point checkpoint_last to a numbered checkpoint, or start with --restart.',
  });
}
