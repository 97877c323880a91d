/** Bytes of a slot, and most slots: what of a checkpoint is copied at a time. */
const SLOT = 8 * 2 ** 20;
const SLOTS = 8;

/** Most memory that a checkpoint under way takes beside what is saved. */
export const RING_BYTES = SLOT * SLOTS;

/** Slots that were filled since the start, slots that were emptied, and whether no more is to come. */
const FILLED = 0;
const EMPTIED = 1;
const BROKEN = 2;

/** What both threads have of a ring. Plain data: it is sent to a thread. */
export interface RingMemory {
  slots: SharedArrayBuffer;
  slotBytes: number;
  state: SharedArrayBuffer;
}

/**
 * Memory through which bytes go from one thread to another, in order: the one copies them into slots, the other takes
 * them out and waits for more. What fits into the ring is copied at once.
 *
 * @param bytes that are going to pass
 * @param most bytes of a slot
 */
export function makeRing(bytes: number, most = SLOT): RingMemory {
  const slotBytes = Math.max(1, Math.min(most, bytes));
  const slots = Math.min(SLOTS, Math.ceil(bytes / slotBytes));
  return {
    slots: new SharedArrayBuffer(slots * slotBytes),
    slotBytes,
    state: new SharedArrayBuffer(3 * Int32Array.BYTES_PER_ELEMENT),
  };
}

/** The end that copies bytes in. It waits without keeping the thread from other things. */
export class RingWriter {
  private readonly memory: RingMemory;
  private readonly state: Int32Array;
  private readonly count: number;
  private filled = 0;
  /** Bytes in the slot that is being filled. */
  private inSlot = 0;
  private closed = false;
  private wake: () => void = () => {};

  constructor(memory: RingMemory) {
    this.memory = memory;
    this.state = new Int32Array(memory.state);
    this.count = memory.slots.byteLength / memory.slotBytes;
  }

  /** To be called when the other end says that it has emptied a slot. */
  readonly heard = (): void => this.wake();

  /** The other end is gone: nothing is waited for any more. */
  readonly close = (): void => {
    this.closed = true;
    this.wake();
  };

  /** Copies all of the values. Where nobody is there to take them, it ends. @throws what reading them does: so does the other end */
  async writeAll(all: Iterable<Float32Array> | AsyncIterable<Float32Array>): Promise<void> {
    try {
      for await (const values of all) if (!(await this.write(values))) return;
      if (this.inSlot > 0) this.pass();
    } catch (error) {
      Atomics.store(this.state, BROKEN, 1);
      this.pass();
      throw error;
    }
  }

  /** @returns once all is copied; false where nobody is there to take it */
  private async write({ buffer, byteOffset, byteLength }: Float32Array): Promise<boolean> {
    const bytes = new Uint8Array(buffer, byteOffset, byteLength);
    const { slots, slotBytes } = this.memory;
    for (let done = 0; done < bytes.length; ) {
      if (!(await this.hasRoom())) return false;
      const start = (this.filled % this.count) * slotBytes;
      const piece = bytes.subarray(done, done + slotBytes - this.inSlot);
      new Uint8Array(slots, start + this.inSlot, piece.length).set(piece);
      this.inSlot += piece.length;
      done += piece.length;
      if (this.inSlot === slotBytes) this.pass();
    }
    return true;
  }

  private pass(): void {
    this.inSlot = 0;
    Atomics.store(this.state, FILLED, ++this.filled);
    Atomics.notify(this.state, FILLED);
  }

  private async hasRoom(): Promise<boolean> {
    while (!this.closed && this.filled - Atomics.load(this.state, EMPTIED) === this.count) {
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
    return !this.closed;
  }
}

/** Gives the next so many bytes, in pieces that are good until the next one is asked for. */
export type TakeBytes = (count: number) => Iterable<Uint8Array>;

/**
 * The end that takes bytes out. It blocks its thread until there are some.
 *
 * @param tell called when a slot is empty
 */
export function takeFrom({ slots, slotBytes, state: shared }: RingMemory, tell: () => void): TakeBytes {
  const state = new Int32Array(shared);
  const count = slots.byteLength / slotBytes;
  let emptied = 0;
  let inSlot = 0;
  return function* take(bytes: number): Generator<Uint8Array> {
    for (let left = bytes; left > 0; ) {
      while (Atomics.load(state, FILLED) === emptied) Atomics.wait(state, FILLED, emptied);
      if (Atomics.load(state, BROKEN) === 1) throw new Error('what was to be written could not be read');
      const piece = Math.min(left, slotBytes - inSlot);
      yield new Uint8Array(slots, (emptied % count) * slotBytes + inSlot, piece);
      left -= piece;
      inSlot = (inSlot + piece) % slotBytes;
      if (inSlot > 0) continue;
      Atomics.store(state, EMPTIED, ++emptied);
      tell();
    }
  };
}

/** The same of values that are there, for a job that is done in this thread. */
export function takeOf(values: Iterable<Float32Array>): TakeBytes {
  const next = values[Symbol.iterator]();
  return function* take(count: number): Generator<Uint8Array> {
    for (let left = count; left > 0; ) {
      const { buffer, byteOffset, byteLength } = next.next().value as Float32Array;
      yield new Uint8Array(buffer, byteOffset, byteLength);
      left -= byteLength;
    }
  };
}
