import { ACTIVATIONS, codeOf, type Implementations, mask, memoryOf, outputs } from './call.js';

declare module '../binding.js' {
  interface Addon {
    feedForwardInner(
      ...args: [
        ...[x: Floats, weight: Floats, bias: Floats, h: Floats, before: Floats],
        ...[rows: number, width: number, inner: number, activation: number, mask: Mask, precision: number],
      ]
    ): void;
    feedForwardInnerGradient(
      ...args: [
        ...[dy: Floats, weight: Floats, kept: Floats, dInner: Floats],
        ...[rows: number, width: number, inner: number, activation: number, mask: Mask, precision: number],
      ]
    ): void;
  }
}

export const FEED_FORWARD = {
  FeedForwardInner: ({ inputs, attributes: { activation, dropout, precision }, backend }) => {
    const { x, weight, bias } = memoryOf(backend, inputs);
    const [rows, width] = inputs.x!.shape;
    const [inner] = inputs.weight!.shape;
    const shape = [rows, inner];
    const { infos, memory } = outputs(backend, [shape, activation === 'gelu' ? shape : null]);
    const [h, before] = memory;
    const code = ACTIVATIONS[activation];
    backend.addon.feedForwardInner(
      ...([x, weight, bias, h, before, rows, width, inner] as const),
      ...([code, mask(dropout), codeOf(precision)] as const),
    );
    return infos;
  },

  FeedForwardInnerGradient: ({ inputs, attributes: { activation, dropout, precision }, backend }) => {
    const { dy, weight, kept } = memoryOf(backend, inputs);
    const [width, inner] = inputs.weight!.shape;
    const [rows] = inputs.dy!.shape;
    const out = backend.output([rows, inner]);
    const code = ACTIVATIONS[activation];
    backend.addon.feedForwardInnerGradient(
      ...([dy, weight, kept, out.values, rows, width, inner] as const),
      ...([code, mask(dropout), codeOf(precision)] as const),
    );
    return [out.info];
  },
} satisfies Partial<Implementations>;
