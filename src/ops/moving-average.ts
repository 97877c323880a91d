import { hasKernel, runFused } from './kernels.js';
import { tf } from './tf.js';

/**
 * One step of an exponential moving average for the whole list: a += (1 − decay) · (p − a). The averages are overwritten.
 *
 * @param averages a, aligned with the parameters
 * @param parameters p
 */
export function movingAverage(
  averages: readonly tf.Variable[],
  parameters: readonly tf.Variable[],
  decay: number,
): void {
  const share = 1 - decay;
  if (hasKernel('MovingAverage')) {
    runFused('MovingAverage', {}, { average: averages, parameter: parameters, share });
    return;
  }
  averages.forEach((average, i) => {
    tf.tidy(() => average.assign(tf.add(average, tf.mul(tf.sub(parameters[i], average), share))));
  });
}
