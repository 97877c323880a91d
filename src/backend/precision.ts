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
export function settlePrecision(backend: ChosenBackend, precision: string, key: string, what = ''): void {
  const { precisions } = backend;
  if (precision === 'float32') return;
  if (!Object.hasOwn(precisions, precision))
    throw new UserError({ where: key, ...lackOf(precision, key, backend) });
  log.info(`Precision${what}: ${precision} (${precisions[precision]})`);
}

/** What is missing for a precision, and what to do. */
function lackOf(precision: string, key: string, { name, reason, precisions }: ChosenBackend) {
  if (precision !== 'float16')
    return {
      problem: `${precision} needs the native backend, which alone computes in it; found ${name}`,
      hint: `Set ${key} to float32, or use --backend native.`,
    };
  if (name === 'webgpu')
    return {
      problem: `float16 needs a graphics card that has half precision (shader-f16); found ${reason}`,
      hint: `Set ${key} to float32, or choose another card with --gpu.`,
    };
  const here = Object.hasOwn(precisions, 'bfloat16') ? 'bfloat16, which this backend computes in' : 'float32';
  return {
    problem: `float16 needs a graphics card, --backend webgpu; found ${name}`,
    hint: `Set ${key} to ${here}.`,
  };
}
