import * as path from 'node:path';
import { log } from '../../common/log.js';
import type { DecodingPrecision } from '../../common/precision.js';
import type { Config, WrittenConfig } from '../../config/schema.js';
import { locateCheckpoint } from '../../decode/checkpoint-location.js';
import { reduceWeights } from '../../formats/reduced-weights.js';
import { readModel } from './exported.js';
import { checkFree, writeModelRun } from './model-run.js';

export interface ReducedExportOptions {
  config: Config;
  written: WrittenConfig;
  precision: DecodingPrecision;
  /** The run directory to write. */
  output: string;
  checkpoint?: string;
}

/**
 * `admin-nmt export --precision`: a checkpoint → a run directory to translate with, of a model in fewer bits.
 *
 * @param run a run directory, or a checkpoint in one
 * @throws UserError for what the user can mend; nothing is then written
 */
export async function exportReduced(run: string, options: ReducedExportOptions): Promise<void> {
  const { config, written, precision, output } = options;
  const location = locateCheckpoint(run, options.checkpoint);
  checkFree(output);
  const { weights } = readModel(location, config);
  log.info(`Model: ${location.checkpoint}`);
  await writeModelRun(output, {
    command: 'export',
    written: {
      ...written,
      train: { ...written.train, 'save-dir': output },
      decode: { ...written.decode, precision },
    },
    data: { ...config.data, destdir: location.runDirectory },
    weights: reduceWeights(weights, precision),
    origin: { model: path.resolve(location.checkpoint), precision },
  });
  log.info(`Written: ${output} (${precision})`);
  log.info(`To translate: admin-nmt translate ${output} --input FILE`);
}
