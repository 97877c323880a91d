import { type Implementations, mask, memoryOf } from './call.js';

declare module '../binding.js' {
  interface Addon {
    scaleBy(a: Floats, factor: Floats, out: Floats): void;
    dropout(x: Floats, out: Floats, mask: Mask): void;
  }
}

export const ELEMENTWISE = {
  ScaleBy: ({ inputs, backend }) => {
    const { x, factor } = memoryOf(backend, inputs);
    const out = backend.output(inputs.x!.shape);
    backend.addon.scaleBy(x, factor, out.values);
    return [out.info];
  },

  Dropout: ({ inputs, attributes: { dropout }, backend }) => {
    const out = backend.output(inputs.x!.shape);
    backend.addon.dropout(backend.floats(inputs.x!), out.values, mask(dropout));
    return [out.info];
  },
} satisfies Partial<Implementations>;
