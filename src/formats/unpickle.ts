import { Global, Made, Persistent, type PickleValue, Tuple } from './pickle.js';

/** A pickle that is damaged, or that names something it has no business with. */
export class PickleError extends Error {}

/**
 * Reads pickles (protocols 0 to 4, Lib/pickletools.py). Nothing is called and nothing is imported: what the pickle
 * would make is described by `Made`. Names beside those allowed are refused. Memory is bounded by the length of the
 * bytes: a value that is there twice is shared, and no number in the bytes decides what is allocated.
 */
export class Unpickler {
  private readonly bytes: Buffer;
  private readonly allowed: (name: string) => boolean;
  private place: number;
  private stack: PickleValue[] = [];
  /** The stacks below the marks. */
  private readonly below: PickleValue[][] = [];
  private readonly memo = new Map<number, PickleValue>();

  /**
   * @param allowed whether a function or class, `module.name`, may be named
   * @param place where the pickle starts
   */
  constructor(bytes: Buffer, allowed: (name: string) => boolean, place = 0) {
    this.bytes = bytes;
    this.allowed = allowed;
    this.place = place;
  }

  /** @returns the value, and where the pickle ends. @throws PickleError */
  read(): { value: PickleValue; end: number } {
    for (;;) {
      const op = this.byte();
      if (op === STOP) return { value: this.pop(), end: this.place };
      const run = OPS.get(op);
      if (run === undefined) throw new PickleError(`opcode 0x${op.toString(16)} at byte ${this.place - 1}`);
      run(this);
    }
  }

  push(value: PickleValue): void {
    this.stack.push(value);
  }

  pop(): PickleValue {
    if (this.stack.length === 0) throw new PickleError(`nothing to take at byte ${this.place - 1}`);
    return this.stack.pop()!;
  }

  top(): PickleValue {
    const value = this.pop();
    this.push(value);
    return value;
  }

  mark(): void {
    this.below.push(this.stack);
    this.stack = [];
  }

  /** Everything since the last mark, which is taken away. */
  popMarked(): PickleValue[] {
    const items = this.stack;
    const below = this.below.pop();
    if (below === undefined) throw new PickleError(`no mark at byte ${this.place - 1}`);
    this.stack = below;
    return items;
  }

  global(module: string, name: string): void {
    const found = new Global(module, name);
    if (!this.allowed(String(found))) throw new PickleError(`it names ${String(found).slice(0, 100)}`);
    this.push(found);
  }

  remember(key: number): void {
    this.memo.set(key, this.top());
  }

  get remembered(): number {
    return this.memo.size;
  }

  recall(key: number): void {
    const value = this.memo.get(key);
    if (value === undefined) throw new PickleError(`nothing is kept under ${key}`);
    this.push(value);
  }

  byte(): number {
    return this.take(1)[0];
  }

  take(length: number): Buffer {
    const end = this.place + length;
    if (!(end <= this.bytes.length)) throw new PickleError(`it is cut short at byte ${this.bytes.length}`);
    const taken = this.bytes.subarray(this.place, end);
    this.place = end;
    return taken;
  }

  line(): string {
    const end = this.bytes.indexOf(10, this.place);
    if (end === -1) throw new PickleError('a line has no end');
    const line = this.bytes.toString('utf8', this.place, end);
    this.place = end + 1;
    return line;
  }

  /** Bytes whose length comes before them, in so many bytes. */
  counted(width: 1 | 4 | 8): Buffer {
    const length = this.take(width);
    if (width === 8) return this.take(Number(length.readBigUInt64LE()));
    return this.take(length.readUIntLE(0, width));
  }
}

const STOP = '.'.charCodeAt(0);
/** Longer whole numbers are nowhere needed: PyTorch's magic number has 10 bytes. */
const LONGEST_NUMBER = 16;

function wholeNumber(bytes: Buffer): PickleValue {
  if (bytes.length > LONGEST_NUMBER) throw new PickleError(`a number of ${bytes.length} bytes`);
  let value = 0n;
  for (const byte of [...bytes].reverse()) value = (value << 8n) | BigInt(byte);
  const signed = BigInt.asIntN(8 * bytes.length, value);
  return Number.isSafeInteger(Number(signed)) ? Number(signed) : signed;
}

function decimal(line: string): PickleValue {
  if (line === '01') return true;
  if (line === '00') return false;
  if (!/^-?\d{1,15}L?$/.test(line)) throw new PickleError('a whole number that is none');
  return Number.parseInt(line, 10);
}

function real(line: string): PickleValue {
  if (line.length > 50) throw new PickleError('a number that is none');
  return Number(line);
}

function put(into: PickleValue, key: PickleValue, value: PickleValue): void {
  if (into instanceof Map) into.set(key, value);
  else if (into instanceof Made) into.items.set(key, value);
  else throw new PickleError('something is put into what is no dict');
}

function append(into: PickleValue, values: readonly PickleValue[]): void {
  const list = into instanceof Made ? into.elements : into;
  if (!Array.isArray(list)) throw new PickleError('something is added to what is no list');
  for (const value of values) list.push(value);
}

function putPairs(into: PickleValue, flat: readonly PickleValue[]): void {
  if (flat.length % 2 !== 0) throw new PickleError('a key without a value');
  for (let i = 0; i < flat.length; i += 2) put(into, flat[i], flat[i + 1]);
}

function dictOf(flat: readonly PickleValue[]): PickleValue {
  const dict = new Map<PickleValue, PickleValue>();
  putPairs(dict, flat);
  return dict;
}

function make(callable: PickleValue, args: PickleValue): PickleValue {
  if (!(callable instanceof Global)) throw new PickleError('a call of what is no function');
  if (!(args instanceof Tuple)) throw new PickleError('a call with what are no arguments');
  return new Made(callable, args);
}

function text(value: PickleValue): string {
  if (typeof value !== 'string') throw new PickleError('a name that is no text');
  return value;
}

/** A tuple of the last values. */
function tupleOf(machine: Unpickler, size: number): void {
  const items = Array.from({ length: size }, () => machine.pop()).reverse();
  machine.push(new Tuple(items));
}

type Run = (machine: Unpickler) => void;
const marked = (make: (items: PickleValue[]) => PickleValue): Run => {
  return (machine) => machine.push(make(machine.popMarked()));
};
const bytesAsText = (bytes: Buffer): string => bytes.toString('latin1');

/** By opcode: a letter or a number. */
const OPS: ReadonlyMap<number, Run> = new Map(
  (
    [
      [0x80, (m) => m.take(1)], // protocol
      [0x95, (m) => m.take(8)], // frame
      ['(', (m) => m.mark()],
      ['0', (m) => m.pop()],
      ['1', (m) => m.popMarked()],
      ['2', (m) => m.push(m.top())],
      ['N', (m) => m.push(null)],
      [0x88, (m) => m.push(true)],
      [0x89, (m) => m.push(false)],
      ['I', (m) => m.push(decimal(m.line()))],
      ['L', (m) => m.push(decimal(m.line()))],
      ['J', (m) => m.push(m.take(4).readInt32LE())],
      ['K', (m) => m.push(m.byte())],
      ['M', (m) => m.push(m.take(2).readUInt16LE())],
      [0x8a, (m) => m.push(wholeNumber(m.counted(1)))],
      [0x8b, (m) => m.push(wholeNumber(m.counted(4)))],
      ['F', (m) => m.push(real(m.line()))],
      ['G', (m) => m.push(m.take(8).readDoubleBE())],
      ['V', (m) => m.push(m.line())],
      ['X', (m) => m.push(m.counted(4).toString('utf8'))],
      [0x8c, (m) => m.push(m.counted(1).toString('utf8'))],
      [0x8d, (m) => m.push(m.counted(8).toString('utf8'))],
      ['T', (m) => m.push(bytesAsText(m.counted(4)))],
      ['U', (m) => m.push(bytesAsText(m.counted(1)))],
      ['B', (m) => m.push(Uint8Array.from(m.counted(4)))],
      ['C', (m) => m.push(Uint8Array.from(m.counted(1)))],
      [']', (m) => m.push([])],
      ['l', marked((items) => items)],
      ['a', (m) => appendTop(m, [m.pop()])],
      ['e', (m) => appendTop(m, m.popMarked())],
      ['}', (m) => m.push(new Map())],
      ['d', marked(dictOf)],
      ['s', (m) => putTop(m, [m.pop(), m.pop()].reverse())],
      ['u', (m) => putTop(m, m.popMarked())],
      [')', (m) => m.push(new Tuple([]))],
      ['t', marked((items) => new Tuple(items))],
      [0x85, (m) => tupleOf(m, 1)],
      [0x86, (m) => tupleOf(m, 2)],
      [0x87, (m) => tupleOf(m, 3)],
      ['q', (m) => m.remember(m.byte())],
      ['r', (m) => m.remember(m.take(4).readUInt32LE())],
      ['p', (m) => m.remember(Number(decimal(m.line())))],
      [0x94, (m) => m.remember(m.remembered)],
      ['h', (m) => m.recall(m.byte())],
      ['j', (m) => m.recall(m.take(4).readUInt32LE())],
      ['g', (m) => m.recall(Number(decimal(m.line())))],
      ['c', (m) => m.global(m.line(), m.line())],
      [0x93, (m) => m.global(...([m.pop(), m.pop()].reverse().map(text) as [string, string]))],
      ['R', (m) => m.push(...made(m))],
      [0x81, (m) => m.push(...made(m))],
      ['b', (m) => build(m, m.pop())],
      ['Q', (m) => m.push(new Persistent(m.pop()))],
    ] as [string | number, Run][]
  ).map(([op, run]) => [typeof op === 'string' ? op.charCodeAt(0) : op, run]),
);

function made(machine: Unpickler): [PickleValue] {
  const args = machine.pop();
  return [make(machine.pop(), args)];
}

function appendTop(machine: Unpickler, values: readonly PickleValue[]): void {
  append(machine.top(), values);
}

function putTop(machine: Unpickler, flat: readonly PickleValue[]): void {
  putPairs(machine.top(), flat);
}

function build(machine: Unpickler, state: PickleValue): void {
  const into = machine.top();
  if (!(into instanceof Made)) throw new PickleError('attributes of what has none');
  into.state = state;
}
