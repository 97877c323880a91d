import { type Implementations, mask, memoryOf, outputs } from './call.js';

declare module '../binding.js' {
  interface Addon {
    residual(
      ...args: [
        ...[x: Floats, f: Floats, omega: Floats, gate: Floats, gain: Floats, bias: Floats],
        ...[
          y: Floats,
          normal: Floats,
          inverse: Floats,
          rows: number,
          width: number,
          alpha: number,
          mask: Mask,
        ],
      ]
    ): void;
    residualGradient(
      ...args: [
        ...[dy: Floats, x: Floats, f: Floats, omega: Floats, gate: Floats, gain: Floats],
        ...[normal: Floats, inverse: Floats, dx: Floats, df: Floats, dOmega: Floats, dGate: Floats],
        ...[dGain: Floats, dBias: Floats, rows: number, width: number, alpha: number, mask: Mask],
      ]
    ): void;
    layerNorm(
      ...args: [
        ...[x: Floats, gain: Floats, bias: Floats, y: Floats, normal: Floats, inverse: Floats],
        ...[rows: number, width: number],
      ]
    ): void;
    layerNormGradient(
      ...args: [
        ...[dy: Floats, normal: Floats, inverse: Floats, gain: Floats, dx: Floats, dGain: Floats],
        ...[dBias: Floats, rows: number, width: number],
      ]
    ): void;
  }
}

export const RESIDUAL = {
  Residual: ({ inputs, attributes: { alpha, dropout }, backend }) => {
    const { x, f, omega, gate, gain, bias } = memoryOf(backend, inputs);
    const [rows, width] = inputs.x!.shape;
    const { infos, memory } = outputs(backend, [
      [rows, width],
      ...(gain === null ? [null, null] : [[rows, width], [rows]]),
    ]);
    const [y, normal, inverse] = memory;
    backend.addon.residual(
      ...([x, f, omega, gate, gain, bias, y, normal, inverse, rows, width, alpha, mask(dropout)] as const),
    );
    return infos;
  },

  ResidualGradient: ({ inputs, attributes: { alpha, dropout }, backend }) => {
    const { dy, x, f, omega, gate, gain, normal, inverse } = memoryOf(backend, inputs);
    const [rows, width] = inputs.dy!.shape;
    const vector = (there: Float32Array | null, size = width) => (there === null ? null : [size]);
    const { infos, memory } = outputs(backend, [
      ...[[rows, width], [rows, width], vector(omega), vector(gate, 1), vector(gain), vector(gain)],
    ]);
    const [dx, df, dOmega, dGate, dGain, dBias] = memory;
    // Where they are not wanted, x and f are not kept; the op then does not read them.
    backend.addon.residualGradient(
      ...([dy, x, f, omega, gate, gain, normal, inverse, dx, df, dOmega, dGate, dGain, dBias] as const),
      ...([rows, width, alpha, mask(dropout)] as const),
    );
    return infos;
  },

  LayerNorm: ({ inputs, backend }) => {
    const { x, gain, bias } = memoryOf(backend, inputs);
    const [rows, width] = inputs.x!.shape;
    const { infos, memory } = outputs(backend, [[rows, width], [rows, width], [rows]]);
    const [y, normal, inverse] = memory;
    backend.addon.layerNorm(x, gain, bias, y, normal, inverse, rows, width);
    return infos;
  },

  LayerNormGradient: ({ inputs, backend }) => {
    const { dy, normal, inverse, gain } = memoryOf(backend, inputs);
    const [rows, width] = inputs.dy!.shape;
    const { infos, memory } = outputs(backend, [[rows, width], [width], [width]]);
    const [dx, dGain, dBias] = memory;
    backend.addon.layerNormGradient(dy, normal, inverse, gain, dx, dGain, dBias, rows, width);
    return infos;
  },
} satisfies Partial<Implementations>;
