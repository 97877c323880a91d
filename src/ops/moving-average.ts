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
  const move = hasKernel('MovingAverage') ? fusedMove : referenceMove;
  averages.forEach((average, i) => {
    tf.tidy(() => move(average, parameters[i], 1 - decay));
  });
}

type Move = (average: tf.Variable, parameter: tf.Variable, share: number) => void;

const referenceMove: Move = (average, parameter, share) =>
  average.assign(tf.add(average, tf.mul(tf.sub(parameter, average), share)));

const fusedMove: Move = (average, parameter, share) => {
  runFused('MovingAverage', { average, parameter }, { share });
};
