import * as fs from 'node:fs';
import * as path from 'node:path';
import { canonicalHash } from '../common/canonical-hash.js';
import { CHECKSUMS_FILE, writeChecksums } from '../common/checksums.js';
import { type Complaint, explainFileError, UserError } from '../common/errors.js';
import { type FileSum, sumOf } from '../common/file-sum.js';
import { readFileBounded, writeFileAtomic } from '../common/files.js';
import { formatConfig } from '../config/format.js';
import { configKeys } from '../config/keys.js';
import { loadRunConfig, runConfigFile } from '../config/load.js';
import { valueAt } from '../config/paths.js';
import type { DataConfig, WrittenConfig } from '../config/schema.js';

/** Marks the config.yaml of a command: train does not overwrite one of another. */
const header = (command: string): string =>
  `# The resolved config of this run, written by admin-nmt ${command}.\n`;
const MAX_FILE_BYTES = 2 ** 30;

/** Keys that decide nothing about the numbers of a run: paths, and when to stop, look, save and log. */
const FREE = new Set([
  'preset',
  'backend',
  'threads',
  'data.root',
  'data.train',
  'data.valid',
  'data.test',
  'data.destdir',
  'data.prepared',
  'data.tokenizer.model',
  'model.omega.profile',
  'train.save-dir',
  'train.max-update',
  'train.max-epoch',
  'train.stop-time',
  'train.patience',
  'train.min-lr',
  'train.validate-first',
  'train.validate-interval',
  'train.validate-interval-updates',
  'train.validate-interval-minutes',
  'train.validate-weights',
  'train.eval-bleu',
  'train.eval-samples',
  'train.best-checkpoint-metric',
  'train.save-interval',
  'train.save-interval-updates',
  'train.save-interval-minutes',
  'train.keep-last',
  'train.keep-best',
  'train.average-last',
  'train.average-best',
  'train.ema-decay',
  'train.log-interval',
  'train.tensorboard',
]);

/** Keys that a run cannot change on its way. */
function boundKeys(): string[] {
  return [...configKeys.keys()].filter((key) => !FREE.has(key) && !/^(decode|score)\./.test(key));
}

/** Names everything in a config that a checkpoint depends on; data files are compared themselves. */
export function runHash(written: WrittenConfig): string {
  return canonicalHash(boundKeys().map((key) => [key, valueAt(written, key)]));
}

/**
 * Checks that the config of a run directory is this one, but for keys that may change.
 *
 * @throws UserError with every key that differs and both its values
 */
export function checkSameRun(runDirectory: string, written: WrittenConfig): void {
  const before = loadRunConfig(runDirectory).written;
  const complaints: Complaint[] = boundKeys().flatMap((key) => {
    const [expected, found] = [before, written].map((config) => JSON.stringify(valueAt(config, key)));
    const problem = `the run in this folder was trained with ${key} ${expected}, found ${found}`;
    return expected === found ? [] : [{ problem, where: runConfigFile(runDirectory) }];
  });
  if (complaints.length === 0) return;
  const hint = 'Choose another folder with --save-dir, or start anew in this one with --restart.';
  throw new UserError(
    complaints.map((complaint, i) => (i === complaints.length - 1 ? { ...complaint, hint } : complaint)),
  );
}

/** Whether a folder has a config.yaml that train wrote. */
export function isRunDirectory(folder: string): boolean {
  const file = runConfigFile(folder);
  if (!fs.existsSync(file)) return false;
  return readFileBounded(file, 'the config of a run', 2 ** 20)
    .toString('utf8')
    .startsWith(header('train'));
}

/** Makes sure that a folder has no config.yaml of somebody else. @throws UserError where it has */
export function checkOwnConfig(runDirectory: string): void {
  const file = runConfigFile(runDirectory);
  if (!fs.existsSync(file) || isRunDirectory(runDirectory)) return;
  throw new UserError({
    problem: 'expected an empty folder or a run directory, found a config.yaml that train did not write',
    where: file,
    hint: 'It would be overwritten: choose another folder with --save-dir.',
  });
}

/**
 * Writes config.yaml and copies dictionaries and tokenizers into the run directory, so that it is complete, with the
 * checksums of all of them.
 *
 * @param data where they are
 * @param command which makes the run directory
 */
export function furnish(
  runDirectory: string,
  written: WrittenConfig,
  data: DataConfig,
  command = 'train',
): void {
  // While files change there are no checksums: none are better than those of other files.
  fs.rmSync(path.join(runDirectory, CHECKSUMS_FILE), { force: true });
  const config = runConfigFile(runDirectory);
  const dictionaries = [data.sourceLang, data.targetLang].map((language): [string, string] => [
    `dict.${language}.txt`,
    path.join(data.destdir, `dict.${language}.txt`),
  ]);
  const copies = [...dictionaries, ...tokenizerFiles(data)];
  const files = Object.fromEntries([
    [path.basename(config), write(config, header(command) + formatConfig(written))],
    ...copies.map(([name, file]): [string, FileSum] => [name, copy(file, runDirectory, name)]),
  ]);
  writeChecksums(runDirectory, { files });
}

/**
 * The tokenizers of a dataset, by the name they have in a run directory: one for both languages or one for each.
 * A data-bin of others has none; there it is the one that the config names, if any.
 */
export function tokenizerFiles({
  destdir,
  sourceLang,
  targetLang,
  tokenizer,
}: DataConfig): Map<string, string> {
  const names = ['tokenizer.model', `tokenizer.${sourceLang}.model`, `tokenizer.${targetLang}.model`];
  const found = names
    .map((name): [string, string] => [name, path.join(destdir, name)])
    .filter(([, file]) => fs.existsSync(file));
  if (found.length === 0 && tokenizer.model !== null) found.push(['tokenizer.model', tokenizer.model]);
  return new Map(found);
}

function copy(file: string, folder: string, name: string): FileSum {
  return write(path.join(folder, name), readFileBounded(file, name, MAX_FILE_BYTES));
}

function write(file: string, content: string | Uint8Array): FileSum {
  writeFileAtomic(file, content);
  return sumOf(content);
}

/**
 * Checks that a folder can be written and has room.
 *
 * @param bytes that are going to be written at once
 * @throws UserError where it has not
 */
export function checkRoom(folder: string, bytes: number): void {
  try {
    fs.accessSync(folder, fs.constants.W_OK);
    const { bavail, bsize } = fs.statfsSync(folder);
    if (bavail * bsize >= bytes) return;
    throw new UserError({
      problem: `no space left on the device: a checkpoint takes ${megabytes(bytes)}, ${megabytes(bavail * bsize)} are free`,
      where: folder,
      hint: 'Free some space, or choose another folder with --save-dir.',
    });
  } catch (error) {
    throw explainFileError(error, folder);
  }
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
