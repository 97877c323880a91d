import { listOf } from '../../../ops/kernels.js';
import type { Implementations } from './call.js';

declare module '../binding.js' {
  interface Addon {
    adam(
      ...args: [
        ...[p: Floats, gradient: Floats, m: Floats, v: Floats, scale: Floats],
        ...[beta1: number, beta2: number, step: number, epsilon: number, decay: number],
      ]
    ): void;
    movingAverage(average: Floats, parameter: Floats, share: number): void;
    sumOfSquares(x: Floats): number;
  }
}

export const OPTIMIZER = {
  Adam: ({ inputs, attributes: { beta1, beta2, step, epsilon, decay }, backend }) => {
    const scale = backend.floats(inputs.scale!);
    const [gradients, firsts, seconds] = ['gradient', 'first', 'second'].map((name) => listOf(inputs, name));
    listOf(inputs, 'parameter').forEach((parameter, i) => {
      const [p, g, m, v] = [parameter, gradients[i], firsts[i], seconds[i]].map((x) => backend.floats(x));
      backend.addon.adam(p, g, m, v, scale, beta1, beta2, step, epsilon, decay);
    });
    return [];
  },

  MovingAverage: ({ inputs, attributes: { share }, backend }) => {
    const parameters = listOf(inputs, 'parameter');
    listOf(inputs, 'average').forEach((average, i) => {
      backend.addon.movingAverage(backend.floats(average), backend.floats(parameters[i]), share);
    });
    return [];
  },

  GlobalNorm: ({ inputs, backend }) => {
    let sum = 0;
    for (const tensor of Object.values(inputs)) sum += backend.addon.sumOfSquares(backend.floats(tensor!));
    const norm = backend.output([]);
    norm.values[0] = Math.sqrt(sum);
    return [norm.info];
  },
} satisfies Partial<Implementations>;
