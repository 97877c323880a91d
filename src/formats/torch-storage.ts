/** How the numbers of a storage of PyTorch lie in memory, little endian. */
export interface StorageType {
  /** Of one number. */
  bytes: number;
  /** Bytes → 32-bit floats; undefined for those that hold no floats. */
  read?: (bytes: Buffer) => Float32Array;
}

/** By the name of the class in `torch`. */
export const STORAGE_TYPES: Readonly<Record<string, StorageType>> = {
  FloatStorage: { bytes: 4, read: (bytes) => new Float32Array(Uint8Array.from(bytes).buffer) },
  DoubleStorage: {
    bytes: 8,
    read: (bytes) => Float32Array.from(new Float64Array(Uint8Array.from(bytes).buffer)),
  },
  HalfStorage: {
    bytes: 2,
    read: (bytes) => Float32Array.from(new Uint16Array(Uint8Array.from(bytes).buffer), halfToFloat),
  },
  BFloat16Storage: {
    bytes: 2,
    // The upper half of a float32.
    read: (bytes) =>
      new Float32Array(
        Uint32Array.from(new Uint16Array(Uint8Array.from(bytes).buffer), (bits) => bits << 16).buffer,
      ),
  },
  LongStorage: { bytes: 8 },
  IntStorage: { bytes: 4 },
  ShortStorage: { bytes: 2 },
  CharStorage: { bytes: 1 },
  ByteStorage: { bytes: 1 },
  BoolStorage: { bytes: 1 },
};

/** IEEE 754's 16 bits as a number. */
export function halfToFloat(bits: number): number {
  const [sign, exponent, fraction] = [bits & 0x8000 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
  if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
