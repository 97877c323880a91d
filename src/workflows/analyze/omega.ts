import { realpathSync } from 'node:fs';
import { UserError } from '../../common/errors.js';
import { hasOmega } from '../../config/residual-schemes.js';
import type { SettledConfig } from '../../config/schema.js';
import type { OmegaPoint } from '../../report/analysis-data.js';
import { readRunWeights } from '../runs/weights.js';
import { checkpointModels } from './models.js';

/**
 * ω of each sublayer at checkpoints of a run, by default all numbered ones, oldest first.
 *
 * @throws UserError for a scheme without ω, or a checkpoint that is not there
 */
export function omegaCourse(
  run: string,
  config: SettledConfig,
  names: readonly string[] = ['all'],
): OmegaPoint[] {
  const { residual } = config.model;
  if (!hasOmega(config.model)) {
    throw new UserError({
      problem: `expected a run under admin, found one under ${residual}, which has no ω`,
      where: run,
      hint: 'Leave omega out, or give a run with model.residual: admin.',
    });
  }
  const found = checkpointModels(run, config, names).flatMap(({ subject, folder }) => {
    if (folder === null) return []; // ω at the start stands beside each of the others
    const { omega } = readRunWeights(run, realpathSync(folder), config.model);
    return [{ ...subject, sublayers: omega }];
  });
  if (found.length > 0) return found.sort((a, b) => (a.updates ?? Infinity) - (b.updates ?? Infinity));
  throw new UserError({
    problem: 'expected a run with checkpoints, found none',
    where: run,
    hint: 'Train it first, or name a checkpoint with --checkpoint.',
  });
}
