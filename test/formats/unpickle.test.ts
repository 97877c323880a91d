import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  Global,
  Made,
  orderedDict,
  Persistent,
  type PickleValue,
  pickle,
  Tuple,
} from '../../src/formats/pickle.js';
import { PickleError, Unpickler } from '../../src/formats/unpickle.js';

const ALLOWED = new Set(['collections.OrderedDict', 'argparse.Namespace']);
const read = (bytes: Buffer): PickleValue => new Unpickler(bytes, (name) => ALLOWED.has(name)).read().value;
/** A pickle from text, in which a character is a byte. */
const text = (...parts: string[]): Buffer => Buffer.from(parts.join(''), 'latin1');

test('what is written is read again', () => {
  const namespace = new Made(new Global('argparse', 'Namespace'));
  namespace.state = new Map<PickleValue, PickleValue>([['arch', 'transformer']]);
  const value = new Map<PickleValue, PickleValue>([
    ['none', null],
    ['flags', [true, false]],
    ['numbers', new Tuple([0, -1, 2 ** 31 - 1, 0.1, -2.5e-9, Infinity])],
    ['text', 'Käse 🧀'],
    ['empty', new Tuple([[], new Map(), ''])],
    ['ordered', orderedDict([['a', 1]])],
    ['namespace', namespace],
    ['outside', new Persistent(new Tuple(['storage', 7]))],
  ]);
  assert.deepEqual(read(pickle(value)), value);
});

test('opcodes of other protocols, as Python writes them', () => {
  // pickle.dumps({'a': [1, (2.5, None)], 'b': True}, 0) and the same with protocol 4
  const expected = new Map<PickleValue, PickleValue>([
    ['a', [1, new Tuple([2.5, null])]],
    ['b', true],
  ]);
  assert.deepEqual(read(text('(dp0\nVa\np1\n(lp2\nI1\na(F2.5\nNtp3\nasVb\np4\nI01\ns.')), expected);
  const framed =
    '\x80\x04\x95\x1e\0\0\0\0\0\0\0}\x94(\x8c\x01a\x94]\x94(K\x01G@\x04\0\0\0\0\0\0N\x86\x94e\x8c\x01b\x94\x88u.';
  assert.deepEqual(read(text(framed)), expected);
  assert.equal(read(text('\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.')), 0x1950a86a20f9469cfc6cn);
  assert.equal(read(text('M\x39\x05.')), 1337);
});

test('what is remembered is shared, also in itself', () => {
  const [first, second] = read(text(']q\0(]q\x01h\x01e.')) as PickleValue[];
  assert.equal(first, second);
  const inItself = read(text(']q\0h\0a.')) as PickleValue[];
  assert.equal(inItself[0], inItself);
});

/** Pickles that would run something, or reach it, in Python. */
const MALICIOUS: readonly [what: string, bytes: Buffer][] = [
  ...[
    'os system',
    'posix system',
    'nt system',
    'os popen',
    'os execv',
    'subprocess Popen',
    'subprocess check_output',
    'builtins eval',
    'builtins exec',
    'builtins __import__',
    'builtins getattr',
    'builtins open',
    'builtins compile',
    '__builtin__ eval',
    'importlib import_module',
    'runpy run_path',
    'pickle loads',
    'shutil rmtree',
    'socket create_connection',
    'webbrowser open',
    'operator attrgetter',
    'functools partial',
    'types FunctionType',
    'ctypes CDLL',
    'torch load',
    'torch.hub load',
    'argparse.Namespace __init__',
    'collections OrderedDict.__class__',
    'argparse _sys',
  ].map((name): [string, Buffer] => {
    const [module, attribute] = name.split(' ');
    return [name, text(`c${module}\n${attribute}\n(S'id'\ntR.`)];
  }),
  ['a stack global', text('\x80\x04\x8c\x05posix\x8c\x06system\x93\x8c\x02id\x85R.')],
  ['a stack global from the memo', text('\x80\x04\x8c\x05posix\x940\x8c\x06systemh\0\x93.')],
  ['the opcode INST', text("(S'id'\nios\nsystem\n.")],
  ['the opcode OBJ', text("(cos\nsystem\nS'id'\no.")],
  ['an extension', text('\x82\x01.')],
  ['NEWOBJ_EX', text('cargparse\nNamespace\n)}\x92.')],
  ['a persistent id as text', text('Pid\n.')],
  ['a call of text', text("S'os.system'\n)R.")],
  ['a call of an allowed class with no arguments', text('cargparse\nNamespace\nNR.')],
  ['attributes of a function', text('cargparse\nNamespace\n}b.')],
  ['attributes of a list', text(']}b.')],
  ['an out-of-band buffer', text('\x97.')],
];

test('nothing beside the allowed names is made, however it is asked for', () => {
  assert.ok(MALICIOUS.length >= 20);
  for (const [what, bytes] of MALICIOUS) assert.throws(() => read(bytes), PickleError, what);
});

test('an allowed class is described, not called', () => {
  const made = read(text('cargparse\nNamespace\n(VX\ntR}(Va\nI1\nub.')) as Made;
  assert.equal(String(made.by), 'argparse.Namespace');
  assert.deepEqual(made.args.items, ['X']);
  assert.deepEqual(made.state, new Map([['a', 1]]));
});

test('lengths are bounded by what is there, numbers by their bytes', () => {
  const bytes = [
    text('X\xff\xff\xff\xff.'),
    text('\x8d\xff\xff\xff\xff\xff\xff\xff\x7f.'),
    text('T\xff\xff\xff\x7f.'),
    text('\x8b\xff\xff\xff\x7f.'),
    text('\x8a\x20', '\x01'.repeat(32), '.'),
    text(`I${'9'.repeat(400)}\n.`),
    text('h\x07.'),
    text('e.'),
    text('R.'),
    text('}(Va\nu.'),
    text('.'),
    text(''),
    text('Vno end'),
  ];
  for (const each of bytes) assert.throws(() => read(each), PickleError, each.toString('latin1'));
});

test('many marks, and tuples in tuples, take their bytes and no more', () => {
  assert.throws(() => read(Buffer.concat([Buffer.alloc(100_000, '('), Buffer.from('.')])), PickleError);
  let value = read(Buffer.concat([Buffer.from('N'), Buffer.alloc(100_000, 0x85), Buffer.from('.')]));
  let depth = 0;
  for (; value instanceof Tuple; depth++) value = value.items[0];
  assert.equal(depth, 100_000);
});
