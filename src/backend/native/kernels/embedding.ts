import { type Implementations, mask, memoryOf } from './call.js';

declare module '../binding.js' {
  interface Addon {
    embedding(
      ...args: [
        ...[tokens: Int32Array, table: Floats, places: Int32Array, positions: Floats, y: Floats],
        ...[width: number, scale: number, mask: Mask],
      ]
    ): void;
    embeddingGradient(
      ...args: [tokens: Int32Array, dy: Floats, dTable: Floats, width: number, scale: number, mask: Mask]
    ): void;
  }
}

export const EMBEDDING = {
  Embedding: ({ inputs, attributes: { tokens, places, scale, dropout }, backend }) => {
    const { table, positions } = memoryOf(backend, inputs);
    const width = inputs.table!.shape[1];
    const y = backend.output([tokens.length, width]);
    backend.addon.embedding(tokens, table, places, positions, y.values, width, scale, mask(dropout));
    return [y.info];
  },

  EmbeddingGradient: ({ inputs, attributes: { indices, rows, scale, dropout }, backend }) => {
    const width = inputs.dy!.shape[1];
    const out = backend.output([rows, width]);
    const dy = backend.floats(inputs.dy!);
    backend.addon.embeddingGradient(indices, dy, out.values, width, scale, mask(dropout));
    return [out.info];
  },
} satisfies Partial<Implementations>;
