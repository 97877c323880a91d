import { Purpose, RandomStream } from '../src/common/rng.js';
import { OPCODES } from './pickle-pieces.js';

/** What is drawn for a mutant. */
export class Draw {
  private readonly stream: RandomStream;

  constructor(seed: number, index: number) {
    this.stream = new RandomStream({ seed, step: index, purpose: Purpose.test, site: 0 });
  }

  below(limit: number): number {
    return Math.floor(this.stream.nextUniform() * limit);
  }

  from<T>(values: readonly T[]): T {
    return values[this.below(values.length)];
  }

  /** One to `most` of them, in any order. */
  some<T>(values: readonly T[], most: number): T[] {
    return Array.from({ length: 1 + this.below(most) }, () => this.from(values));
  }

  bytes(length: number): Buffer {
    return Buffer.from(Array.from({ length }, () => this.below(256)));
  }
}

/** Some bytes become others, are left out, repeated, or followed by more; half of the time near an end. */
export function scramble(bytes: Buffer, draw: Draw, times = 1 + draw.below(3)): Buffer {
  let changed = bytes;
  for (let i = 0; i < times; i++) {
    const region = draw.below(2) === 0 ? changed.length : Math.min(4000, changed.length);
    const offset = draw.below(region);
    const at = draw.below(3) === 0 ? changed.length - 1 - offset : offset;
    const length = 1 + draw.below(8);
    const [head, middle, tail] = [
      changed.subarray(0, at),
      changed.subarray(at, at + length),
      changed.subarray(at + length),
    ];
    const flipped = Buffer.from(middle.length > 0 ? middle : [0]);
    flipped[0] ^= 1 << draw.below(8);
    const put = draw.from([
      draw.bytes(length),
      Buffer.alloc(0),
      Buffer.concat([middle, middle]),
      Buffer.alloc(length, draw.from([0, 0x7f, 0x80, 0xff])),
      flipped,
      Buffer.concat([draw.from(OPCODES), middle]),
    ]);
    changed = Buffer.concat([head, put, tail]);
  }
  return changed;
}
