import { readdirSync, statSync } from 'node:fs';
import * as path from 'node:path';
import { writeChecksums } from '../../common/checksums.js';
import { UserError } from '../../common/errors.js';
import { sumOf } from '../../common/file-sum.js';
import { writeFileAtomic, writeFolderAtomic } from '../../common/files.js';
import type { DataConfig, WrittenConfig } from '../../config/schema.js';
import { type StoredArray, writeSafetensors } from '../../formats/safetensors.js';
import { BEST_CHECKPOINT, MODEL_FILE, pointTo } from '../../train/checkpoint-folders.js';
import { furnish } from '../runs/directory.js';

/** A model that no training of this run directory has made. */
export interface FinishedModel {
  /** The command that made it. */
  command: 'fold' | 'import' | 'export';
  written: WrittenConfig;
  /** Where dictionaries and tokenizers are. */
  data: DataConfig;
  weights: ReadonlyMap<string, StoredArray>;
  /** Says what it was made from; kept beside the weights. */
  origin: Record<string, unknown>;
}

/** Checks that a folder can be made there. @throws UserError where something is in the way */
export function checkFree(folder: string): void {
  const found = statSync(folder, { throwIfNoEntry: false });
  if (found === undefined || (found.isDirectory() && readdirSync(folder).length === 0)) return;
  throw new UserError({
    problem: 'expected a new folder or an empty one, found something in the way',
    where: folder,
    hint: 'Choose another with --output, or move this one away.',
  });
}

/**
 * Writes a run directory with one checkpoint to translate with and no state to train on from: the whole of it or
 * nothing. `train` refuses it, since another command wrote its config.
 *
 * @param prove looks at the run directory before it takes its place; where it throws, nothing is left
 */
export async function writeModelRun(
  runDirectory: string,
  { command, written, data, weights, origin }: FinishedModel,
  prove: (run: string) => Promise<void> = async () => {},
): Promise<void> {
  const name = `checkpoint_${command}ed`;
  await writeFolderAtomic(runDirectory, async (temporary) => {
    furnish(temporary, written, data, command);
    const folder = path.join(temporary, name);
    const about = `${JSON.stringify({ format: `admin-nmt/${command}`, version: 1, ...origin }, null, 1)}\n`;
    const files = {
      [MODEL_FILE]: writeSafetensors(path.join(folder, MODEL_FILE), weights, { format: 'pt' }),
      [`${command}.json`]: sumOf(about),
    };
    writeFileAtomic(path.join(folder, `${command}.json`), about);
    writeChecksums(folder, { files });
    pointTo(temporary, BEST_CHECKPOINT, name);
    await prove(temporary);
  });
}
