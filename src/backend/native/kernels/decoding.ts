import { type Implementations, memoryOf } from './call.js';

declare module '../binding.js' {
  interface Addon {
    storeRows(
      ...args: [
        ...[rows: Floats, column: number, stride: number, from: Int32Array | null],
        ...[stored: Floats, first: number, width: number],
      ]
    ): void;
    cachedAttention(
      ...args: [
        ...[queries: Floats, column: number, stride: number, keys: Floats, values: Floats],
        ...[places: Int32Array, offsets: Int32Array, out: Floats, width: number, heads: number],
      ]
    ): void;
    topLogProbs(
      ...args: [
        ...[logits: Floats, forbidden: Int32Array, ids: Int32Array, logProbs: Floats, ofAsked: Floats],
        ...[rows: number, size: number, k: number, asked: number],
      ]
    ): void;
    pickColumns(
      ...args: [
        ...[x: Floats, columns: Int32Array, offsets: Int32Array, rows: Int32Array, out: Floats],
        ...[size: number, width: number],
      ]
    ): void;
  }
}

export const DECODING = {
  StoreRows: ({ inputs, attributes: { column, first, from }, backend }) => {
    const { rows, stored } = memoryOf(backend, inputs);
    const [, stride] = inputs.rows!.shape;
    const [, width] = inputs.stored!.shape;
    backend.addon.storeRows(rows, column, stride, from, stored, first, width);
    return [];
  },

  GrowRows: ({ inputs, attributes: { size }, backend }) => {
    const [, width] = inputs.rows!.shape;
    const out = backend.output([size, width]);
    backend.addon.storeRows(backend.floats(inputs.rows!), 0, width, null, out.values, 0, width);
    return [out.info];
  },

  CachedAttention: ({ inputs, attributes: { heads, column, places, offsets }, backend }) => {
    const { queries, keys, values } = memoryOf(backend, inputs);
    const [rows, stride] = inputs.queries!.shape;
    const [, width] = inputs.keys!.shape;
    const out = backend.output([rows, width]);
    backend.addon.cachedAttention(
      ...([queries, column, stride, keys, values, places, offsets, out.values, width, heads] as const),
    );
    return [out.info];
  },

  TopLogProbs: ({ inputs, attributes: { k, forbid, asked }, backend }) => {
    const [rows, size] = inputs.logits!.shape;
    const ids = backend.outputInts([rows * k]);
    const [logProbs, ofAsked] = [backend.output([rows * k]), backend.output([rows])];
    const logits = backend.floats(inputs.logits!);
    backend.addon.topLogProbs(
      ...([logits, forbid, ids.values, logProbs.values, ofAsked.values, rows, size, k, asked] as const),
    );
    return [ids.info, logProbs.info, ofAsked.info];
  },

  PickColumns: ({ inputs, attributes: { columns, offsets, rows, width }, backend }) => {
    const [, size] = inputs.x!.shape;
    const out = backend.output([rows.length, width]);
    const x = backend.floats(inputs.x!);
    backend.addon.pickColumns(x, columns, offsets, rows, out.values, size, width);
    return [out.info];
  },
} satisfies Partial<Implementations>;
