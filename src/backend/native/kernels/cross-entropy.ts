import { codeOf, type Implementations, memoryOf, outputs } from './call.js';

declare module '../binding.js' {
  interface Addon {
    crossEntropy(
      ...args: [
        ...[hidden: Floats, weight: Floats, targets: Int32Array, losses: Floats, dHidden: Floats],
        ...[dWeight: Floats, rows: number, width: number, size: number, epsilon: number, precision: number],
      ]
    ): void;
  }
}

export const CROSS_ENTROPY = {
  CrossEntropy: ({ inputs, attributes: { targets, epsilon, gradient, precision }, backend }) => {
    const { hidden, weight } = memoryOf(backend, inputs);
    const [rows, width] = inputs.hidden!.shape;
    const [size] = inputs.weight!.shape;
    const { infos, memory } = outputs(backend, [
      [2],
      ...(gradient
        ? [
            [rows, width],
            [size, width],
          ]
        : [null, null]),
    ]);
    const [losses, dHidden, dWeight] = memory;
    backend.addon.crossEntropy(
      ...([hidden, weight, targets, losses, dHidden, dWeight] as const),
      ...([rows, width, size, epsilon, codeOf(precision)] as const),
    );
    return infos;
  },
} satisfies Partial<Implementations>;
