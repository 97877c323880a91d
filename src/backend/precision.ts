import { UserError } from '../common/errors.js';
import { log } from '../common/log.js';
import type { ChosenBackend } from './init.js';

/**
 * Says how a backend computes products in the precision that is asked for, unless that is float32.
 *
 * @param key of the config that asks for it
 * @param what is computed in it, where that is not all
 * @throws UserError where the backend lacks it
 */
export function settlePrecision(
  { name, precisions }: ChosenBackend,
  precision: string,
  key: string,
  what = '',
): void {
  if (precision === 'float32') return;
  if (!Object.hasOwn(precisions, precision))
    throw new UserError({
      problem: `${precision} needs the native backend, which alone computes in it; found ${name}`,
      where: key,
      hint: `Set ${key} to float32, or use --backend native.`,
    });
  log.info(`Precision${what}: ${precision} (${precisions[precision]})`);
}
