import { existsSync, readdirSync, realpathSync, statSync } from 'node:fs';
import * as path from 'node:path';
import { UserError } from '../common/errors.js';

/** The config of a run, in its directory. */
const CONFIG_FILE = 'config.yaml';

/** The names of checkpoints in a run directory, which tell it where its config is gone. */
const CHECKPOINT_NAME = /^checkpoint_(last|best|\d+_\d+)$/;

/** What only checkpoints have. */
const CHECKPOINT_FILE = /^(state\.json|.+\.safetensors)$/;

const NO_CONFIG = 'expected a run directory, found no config.yaml in it';

/** The run that a folder belongs to. */
export interface FoundFolder {
  /** The folder with config, dictionaries and tokenizer. */
  runDirectory: string;
  /** The folder itself, where it is not the run directory but a checkpoint in it. */
  checkpoint?: string;
}

/** Where a run directory keeps its config. */
export function runConfigFile(runDirectory: string): string {
  return path.join(runDirectory, CONFIG_FILE);
}

/**
 * Whether a folder is a run directory or a checkpoint, by what is in it, whatever it is called: any one of the files
 * may be gone. Undefined for other folders.
 */
export function kindOfFolder(folder: string): 'run directory' | 'checkpoint' | undefined {
  const names = namesIn(folder);
  if (names.some((name) => name === CONFIG_FILE || CHECKPOINT_NAME.test(name))) return 'run directory';
  return names.some((name) => CHECKPOINT_FILE.test(name)) ? 'checkpoint' : undefined;
}

/** The run directory of a checkpoint: the folder that it is in, or that the link to it is in. */
export function runOfCheckpoint(checkpoint: string): string {
  const [real, named] = [realpathSync(checkpoint), path.resolve(checkpoint)].map((place) =>
    path.dirname(place),
  );
  return !existsSync(runConfigFile(real)) && existsSync(runConfigFile(named)) ? named : real;
}

/**
 * Finds the run that a user names.
 *
 * @param folder a run directory, or a checkpoint in one
 * @throws UserError where it is neither, or there is no config
 */
export function findRun(folder: string): FoundFolder {
  const kind = kindOfFolder(folder);
  if (kind === undefined) throw strange(folder, NO_CONFIG);
  const runDirectory = kind === 'checkpoint' ? runOfCheckpoint(folder) : folder;
  if (!existsSync(runConfigFile(runDirectory))) throw withoutConfig(folder, kind, runDirectory);
  return kind === 'checkpoint' ? { runDirectory, checkpoint: folder } : { runDirectory };
}

/** Checks that a folder is a run directory. @throws UserError for a checkpoint, too */
export function checkRunDirectory(folder: string): void {
  const { runDirectory, checkpoint } = findRun(folder);
  if (checkpoint === undefined) return;
  throw new UserError({
    problem: 'expected a run directory, found a checkpoint',
    where: folder,
    hint: `Give the run that it is in: ${runDirectory}`,
  });
}

function namesIn(folder: string): string[] {
  const found = statSync(folder, { throwIfNoEntry: false });
  if (found === undefined) throw strange(folder, 'no such run directory');
  if (!found.isDirectory()) throw strange(folder, 'expected a run directory, found a file');
  return readdirSync(folder);
}

function strange(where: string, problem: string): UserError {
  const hint = where.endsWith('.pt')
    ? 'A checkpoint of the official code becomes a run directory with admin-nmt import.'
    : 'Give the folder that admin-nmt train wrote (train.save-dir), or a checkpoint in it; admin-nmt runs DIR lists the runs in a folder.';
  return new UserError({ problem, where, hint });
}

function withoutConfig(
  folder: string,
  kind: 'run directory' | 'checkpoint',
  runDirectory: string,
): UserError {
  return kind === 'checkpoint'
    ? new UserError({
        problem: `expected a checkpoint in its run directory, found no config.yaml in ${runDirectory}`,
        where: folder,
        hint: `Config, dictionaries and tokenizers are in the run that made it: give that, and --checkpoint ${folder}`,
      })
    : new UserError({
        problem: NO_CONFIG,
        where: folder,
        hint: 'Bring it back from a copy; the training that made the run writes it again.',
      });
}
