import * as fs from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { UserError } from '../../common/errors.js';
import { log } from '../../common/log.js';
import { loadRunConfig } from '../../config/load.js';
import type { Config, TrainConfig, WrittenConfig } from '../../config/schema.js';
import { locateCheckpoint } from '../../decode/checkpoint-location.js';
import { checkArchitecture, type SourceModel } from '../../train/init-from.js';

/**
 * The model that a new run starts with; null where the config names none.
 *
 * @throws UserError where it is not there, or its shape is another
 */
export function findSource({ train }: Config, written: WrittenConfig): SourceModel | null {
  if (train.initFrom === null) return null;
  const { runDirectory, checkpoint } = locateCheckpoint(train.initFrom);
  if (fs.existsSync(train.saveDir) && fs.realpathSync(runDirectory) === fs.realpathSync(train.saveDir)) {
    throw new UserError({
      problem:
        'expected another run directory than the one that training starts from, which would be overwritten',
      where: 'train.save-dir',
      hint: 'Choose another folder with --save-dir; without --restart and --init-from the run goes on.',
    });
  }
  const source = { folder: checkpoint, runDirectory, written: loadRunConfig(runDirectory).written };
  checkArchitecture(source, written);
  const [before, now] = [source.written.data.clean, written.data.clean];
  if (!isDeepStrictEqual(before, now)) {
    log.warn(
      `data.clean: ${runDirectory} was trained with ${describe(before)}, this run has ${describe(now)}`,
    );
  }
  return source;
}

function describe(clean: WrittenConfig['data']['clean']): string {
  return Object.entries(clean)
    .map(([name, on]) => `${name}: ${on}`)
    .join(', ');
}

/** What comes with the weights and what is added to them, in words. */
export function describeKept(train: TrainConfig): string {
  const { grow, resetOptimizer, resetScheduler, resetBest, resetData } = train;
  const grown = grow === 'none' ? '' : `, with new layers (${grow})`;
  const kept = [
    ...(resetOptimizer ? [] : ['optimizer']),
    ...(resetScheduler ? [] : ['count of updates']),
    ...(resetBest ? [] : ['best score']),
    ...(resetData ? [] : ['position in the data']),
  ];
  return grown + (kept.length === 0 ? '' : `, and its ${kept.join(', ')}`);
}
