import { UserError } from '../common/errors.js';
import { DEFAULT_LIMITS, LEAST_LIMITS, type ShortlistLimits } from '../common/shortlist-limits.js';
import { loadRunConfig } from '../config/load.js';

/** What of the command's flags differs from its defaults: `first`, `best`, `pairs`. */
export interface ShortlistOptions extends Partial<ShortlistLimits> {
  /** The file to write (default: shortlist.safetensors in the run directory). */
  output?: string;
  /** The dataset, where it is not where the run was trained from. */
  destdir?: string;
}

/**
 * `admin-nmt shortlist`: the training split of a run → a file for `decode.shortlist`.
 *
 * @param run a run directory, or a checkpoint in one
 * @returns the file that was written
 * @throws UserError where the dataset of the run is not there, or is of another vocabulary
 */
export async function makeShortlist(run: string, options: ShortlistOptions = {}): Promise<string> {
  const { output, destdir, ...given } = options;
  const limits = { ...DEFAULT_LIMITS, ...given };
  for (const name of ['first', 'best', 'pairs'] as const) {
    const [found, least] = [limits[name], LEAST_LIMITS[name]];
    if (!Number.isSafeInteger(found) || found < least)
      throw new UserError({ problem: `expected a whole number from ${least}, found ${found}`, where: name });
  }
  const { config } = loadRunConfig(run, { files: destdir === undefined ? [] : [{ data: { destdir } }] });
  const { makeShortlist: make } = await import('../workflows/shortlist.js');
  return make(run, { ...limits, config, output });
}
