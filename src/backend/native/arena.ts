/**
 * Memory for tensors, kept for the next ones: blocks come in sizes of 2ⁿ · (4 … 7)/4, so that batches of about the
 * same size share them.
 */
export class Arena {
  private readonly allocate: (bytes: number) => ArrayBuffer;
  private readonly free = new Map<number, ArrayBuffer[]>();
  private readonly owned = new Set<ArrayBufferLike>();
  /** Bytes handed out and not given back. */
  used = 0;
  /** Most bytes that there ever were, those kept included. */
  peak = 0;
  private held = 0;

  constructor(allocate: (bytes: number) => ArrayBuffer) {
    this.allocate = allocate;
  }

  /** Memory for so many floats, not cleared. */
  floats(length: number): Float32Array {
    return new Float32Array(this.take(4 * length), 0, length);
  }

  /** Memory for so many integers, not cleared. */
  ints(length: number): Int32Array {
    return new Int32Array(this.take(4 * length), 0, length);
  }

  /** Whether memory is of this arena. */
  owns({ buffer }: ArrayBufferView): boolean {
    return this.owned.has(buffer);
  }

  /** Gives memory back; what is of no arena is left to the garbage collector. */
  release({ buffer }: ArrayBufferView): void {
    if (!this.owned.has(buffer)) return;
    this.used -= buffer.byteLength;
    const kept = this.free.get(buffer.byteLength);
    if (kept === undefined) this.free.set(buffer.byteLength, [buffer as ArrayBuffer]);
    else kept.push(buffer as ArrayBuffer);
  }

  private take(bytes: number): ArrayBuffer {
    const size = blockSize(bytes);
    this.used += size;
    const kept = this.free.get(size)?.pop();
    if (kept !== undefined) return kept;
    const buffer = this.allocate(size);
    this.owned.add(buffer);
    this.held += size;
    this.peak = Math.max(this.peak, this.held);
    return buffer;
  }
}

/** The least size of a block that holds so many bytes. */
function blockSize(bytes: number): number {
  let size = 256;
  while (size < bytes) size *= 2;
  for (let quarters = 5; quarters < 8; quarters++) {
    const smaller = (size / 8) * quarters;
    if (size > 256 && smaller >= bytes) return smaller;
  }
  return size;
}
