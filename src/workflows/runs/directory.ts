import * as fs from 'node:fs';
import * as path from 'node:path';
import { CHECKSUMS_FILE, writeChecksums } from '../../common/checksums.js';
import { DamageError, explainFileError, UserError } from '../../common/errors.js';
import { readFileBounded } from '../../common/file-input.js';
import { type FileSum, sumOf } from '../../common/file-sum.js';
import { packageVersion, writeFileAtomic } from '../../common/files.js';
import { formatConfig } from '../../config/format.js';
import { configKeys } from '../../config/keys.js';
import { versionLine } from '../../config/load.js';
import { runConfigFile } from '../../config/run-folder.js';
import type { DataConfig, WrittenConfig } from '../../config/schema.js';
import { unknownKey } from '../../config/validate.js';
import { type Continuation, checkSettings, settingsAt } from '../../train/check-origin.js';
import { LAST_CHECKPOINT, STATE_FILE } from '../../train/checkpoint-folders.js';
import { readStateFile } from '../../train/state.js';

/** Marks the config.yaml of a command: train does not overwrite one of another. */
const header = (command: string): string =>
  `# The resolved config of this run, written by admin-nmt ${command}.\n`;
const MAX_FILE_BYTES = 2 ** 30;

/**
 * Checks before anything is made anew that training may go on from the last checkpoint of a run. Whether that is whole
 * is seen when it is read.
 *
 * @throws UserError with every setting that differs and both its values
 */
export function checkSameRun(
  runDirectory: string,
  next: Pick<Continuation, 'settings' | 'allowChange'>,
): void {
  const folder = path.join(runDirectory, LAST_CHECKPOINT);
  const file = path.join(folder, STATE_FILE);
  if (!fs.existsSync(file)) return;
  try {
    checkSettings(settingsAt(folder, readStateFile(file).origin), next, file);
  } catch (error) {
    if (!(error instanceof DamageError)) throw error;
  }
}

/** @throws UserError for what is no key of a config */
export function checkKeys(keys: readonly string[], flag: string): void {
  const unknown = keys.filter((key) => !configKeys.has(key));
  if (unknown.length > 0) throw new UserError(unknown.map((key) => unknownKey(key, `${flag} ${key}`)));
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
    [
      path.basename(config),
      write(config, header(command) + versionLine(packageVersion()) + formatConfig(written)),
    ],
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
