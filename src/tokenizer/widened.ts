type Column = Int32Array | Uint32Array | Uint16Array | Uint8Array | Float64Array;

/** A typed array of `size` that begins with what another holds. */
export function widened<A extends Column>(column: A, size: number): A {
  const copy = new (column.constructor as new (length: number) => A)(size);
  copy.set(column);
  return copy;
}
