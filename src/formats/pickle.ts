/**
 * Python's pickle: its values as seen from here, and a writer of protocol 2 (Lib/pickletools.py has the opcodes).
 *
 * None, booleans, numbers, strings, lists and dicts are null, booleans, numbers, strings, arrays and Maps.
 */
export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PickleValue[]
  | Map<PickleValue, PickleValue>
  | Tuple
  | Global
  | Made
  | Persistent;

export class Tuple {
  readonly items: readonly PickleValue[];

  constructor(items: readonly PickleValue[]) {
    this.items = items;
  }
}

/** A function or class by its name. */
export class Global {
  readonly module: string;
  readonly name: string;

  constructor(module: string, name: string) {
    this.module = module;
    this.name = name;
  }

  toString(): string {
    return `${this.module}.${this.name}`;
  }
}

/** What a function or class makes of arguments, before anybody calls it. */
export class Made {
  readonly by: Global;
  readonly args: Tuple;
  /** What was put into it as into a dict. */
  readonly items = new Map<PickleValue, PickleValue>();
  /** What was put into it as into a list. */
  readonly elements: PickleValue[] = [];
  /** Its attributes, or what it makes them of. */
  state: PickleValue = null;

  constructor(by: Global, args: Tuple = new Tuple([])) {
    this.by = by;
    this.args = args;
  }
}

/** Something that is kept outside of the pickle. */
export class Persistent {
  readonly id: PickleValue;

  constructor(id: PickleValue) {
    this.id = id;
  }
}

/** An OrderedDict, as state_dict of PyTorch gives one. */
export function orderedDict(entries: Iterable<[string, PickleValue]>): Made {
  const made = new Made(new Global('collections', 'OrderedDict'));
  for (const [key, value] of entries) made.items.set(key, value);
  return made;
}

const PROTO = 0x80;
const [TRUE, FALSE] = [0x88, 0x89];
const code = (letter: string): number => letter.charCodeAt(0);

/** The bytes of a pickle, of protocol 2. Nothing in it is shared: what is there twice is written twice. */
export function pickle(value: PickleValue): Buffer {
  const pieces: Uint8Array[] = [Uint8Array.of(PROTO, 2)];
  put(value, pieces);
  pieces.push(Uint8Array.of(code('.')));
  return Buffer.concat(pieces);
}

function put(value: PickleValue, pieces: Uint8Array[]): void {
  const op = (letter: string, bytes: Uint8Array = new Uint8Array(0)): void => {
    pieces.push(Uint8Array.of(code(letter)), bytes);
  };
  const putMarked = (values: Iterable<PickleValue>, last: string): void => {
    op('(');
    for (const each of values) put(each, pieces);
    op(last);
  };
  if (value === null) op('N');
  else if (typeof value === 'boolean') pieces.push(Uint8Array.of(value ? TRUE : FALSE));
  else if (typeof value === 'number') putNumber(value, op);
  else if (typeof value === 'string') putText(value, op);
  else if (Array.isArray(value)) {
    op(']');
    putMarked(value, 'e');
  } else if (value instanceof Map) {
    op('}');
    putMarked([...value].flat(), 'u');
  } else if (value instanceof Tuple) putMarked(value.items, 't');
  else if (value instanceof Global) op('c', Buffer.from(`${value.module}\n${value.name}\n`));
  else if (value instanceof Persistent) {
    put(value.id, pieces);
    op('Q');
  } else if (value instanceof Made) {
    put(value.by, pieces);
    put(value.args, pieces);
    op('R');
    if (value.items.size > 0) putMarked([...value.items].flat(), 'u');
    if (value.elements.length > 0) putMarked(value.elements, 'e');
    if (value.state !== null) {
      put(value.state, pieces);
      op('b');
    }
  } else throw new Error(`cannot pickle a ${typeof value}`);
}

type Op = (letter: string, bytes?: Uint8Array) => void;

/** A number without a fraction is an int, one with is a float. */
function putNumber(value: number, op: Op): void {
  const isInt = Number.isInteger(value) && Math.abs(value) < 2 ** 31;
  const bytes = Buffer.alloc(isInt ? 4 : 8);
  if (isInt) bytes.writeInt32LE(value);
  else bytes.writeDoubleBE(value);
  op(isInt ? 'J' : 'G', bytes);
}

function putText(value: string, op: Op): void {
  const text = Buffer.from(value);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(text.length);
  op('X', Buffer.concat([length, text]));
}
