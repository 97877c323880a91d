import { type Implementations, memoryOf } from './call.js';

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
    const { parameter, gradient, first, second, scale } = memoryOf(backend, inputs);
    backend.addon.adam(parameter, gradient, first, second, scale, beta1, beta2, step, epsilon, decay);
    return [];
  },

  MovingAverage: ({ inputs, attributes: { share }, backend }) => {
    const { average, parameter } = memoryOf(backend, inputs);
    backend.addon.movingAverage(average, parameter, share);
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
