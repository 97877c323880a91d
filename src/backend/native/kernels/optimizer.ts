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
  Adam: ({ inputs, attributes, backend }) => {
    const { parameter, gradient, first, second, beta1, beta2, step, epsilon, decay } = attributes;
    const scale = backend.floats(inputs.scale!);
    parameter.forEach((info, i) => {
      const [p, g, m, v] = [info, gradient[i], first[i], second[i]].map((x) => backend.floats(x));
      backend.addon.adam(p, g, m, v, scale, beta1, beta2, step, epsilon, decay);
    });
    return [];
  },

  MovingAverage: ({ attributes: { average, parameter, share }, backend }) => {
    average.forEach((info, i) => {
      backend.addon.movingAverage(backend.floats(info), backend.floats(parameter[i]), share);
    });
    return [];
  },

  GlobalNorm: ({ attributes: { tensor }, backend }) => {
    let sum = 0;
    for (const info of tensor) sum += backend.addon.sumOfSquares(backend.floats(info));
    const norm = backend.output([]);
    norm.values[0] = Math.sqrt(sum);
    return [norm.info];
  },
} satisfies Partial<Implementations>;
