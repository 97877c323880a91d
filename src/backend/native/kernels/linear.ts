import { ACTIVATIONS, codeOf, type Implementations, memoryOf, outputs } from './call.js';

declare module '../binding.js' {
  interface Addon {
    linear(
      ...args: [
        ...[x: Floats, weight: Floats, bias: Floats, y: Floats],
        ...[rows: number, from: number, to: number, precision: number],
      ]
    ): void;
    linearGradient(
      ...args: [
        ...[dy: Floats, x: Floats, weight: Floats, dx: Floats, dWeight: Floats, dBias: Floats],
        ...[rows: number, from: number, to: number, precision: number],
      ]
    ): void;
    packWeight(weight: Floats, packed: Floats, from: number, to: number, precision: number): void;
    /** Floats of a packed weight. */
    packedWeightSize(from: number, to: number, precision: number): number;
    packedLinear(
      ...args: [
        ...[x: Floats, packed: Floats, bias: Floats, y: Floats],
        ...[rows: number, from: number, to: number, activation: number, precision: number],
      ]
    ): void;
  }
}

const linearGradient =
  (withInput: boolean): Implementations['LinearGradient'] =>
  ({ inputs, attributes, backend }) => {
    const { dy, x, weight } = memoryOf(backend, inputs);
    const [rows, width] = inputs.x!.shape;
    const [out] = inputs.weight!.shape;
    const { infos, memory } = outputs(backend, [
      withInput ? [rows, width] : null,
      [out, width],
      inputs.bias === undefined ? null : [out],
    ]);
    const [dx, dWeight, dBias] = memory;
    const code = codeOf(attributes.precision);
    backend.addon.linearGradient(dy, x, weight, dx, dWeight, dBias, rows, width, out, code);
    return infos;
  };

export const LINEAR = {
  Linear: ({ inputs, attributes: { precision }, backend }) => {
    const { x, weight, bias } = memoryOf(backend, inputs);
    const [rows, width] = inputs.x!.shape;
    const [out] = inputs.weight!.shape;
    const y = backend.output([rows, out]);
    backend.addon.linear(x, weight, bias, y.values, rows, width, out, codeOf(precision));
    return [y.info];
  },

  LinearGradient: linearGradient(true),

  WeightGradient: linearGradient(false),

  PackWeight: ({ inputs, attributes, backend }) => {
    const precision = codeOf(attributes.precision);
    const [out, width] = inputs.weight!.shape;
    const packed = backend.output([backend.addon.packedWeightSize(width, out, precision)]);
    backend.addon.packWeight(backend.floats(inputs.weight!), packed.values, width, out, precision);
    return [packed.info];
  },

  PackedLinear: ({ inputs, attributes: { out, activation, precision }, backend }) => {
    const { x, packed, bias } = memoryOf(backend, inputs);
    const [rows, width] = inputs.x!.shape;
    const y = backend.output([rows, out]);
    const code = activation === null ? 0 : 1 + ACTIVATIONS[activation];
    backend.addon.packedLinear(
      ...([x, packed, bias, y.values, rows, width, out, code, codeOf(precision)] as const),
    );
    return [y.info];
  },
} satisfies Partial<Implementations>;
