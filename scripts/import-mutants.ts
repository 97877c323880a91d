import * as fs from 'node:fs';
import * as path from 'node:path';
import { packageRoot } from '../src/common/files.js';
import { Made, Persistent, type PickleValue, pickle, Tuple } from '../src/formats/pickle.js';
import { openTorchFile } from '../src/formats/torch-file.js';
import { readZipDirectory, writeZip } from '../src/formats/zip.js';
import { marianVocabulary, SMALL } from './marian-model.js';
import { MARIAN_MUTATIONS } from './marian-mutants.js';
import { Draw, scramble } from './mutant-draw.js';
import { OPCODES, op } from './pickle-pieces.js';

/** Checkpoints of the official code and dictionaries, damaged, altered and made to harm. */

const FIXTURES = path.join(packageRoot(), 'test/formats/fixtures/torch-save');
const DATA_BIN = path.join(packageRoot(), 'test/data/fixtures/joint');
export const LANGUAGES = ['en', 'it'] as const;
const PICKLE = 'zip/data.pkl';
/** The pickle that a file of the older format starts with. */
const MAGIC = Buffer.from('\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.', 'latin1');

/** Writes a checkpoint and its dictionaries into a folder. */
type Mutation = (checkpoint: string, dataBin: string, draw: Draw) => void;

const original = (name: string): Buffer => fs.readFileSync(path.join(FIXTURES, name));

/** The files of the archive. */
function archive(): Map<string, Uint8Array> {
  const bytes = original('zip.pt');
  const read = (start: number, length: number): Buffer => Buffer.from(bytes.subarray(start, start + length));
  const entries = readZipDirectory(read, bytes.length, (problem) => {
    throw new Error(problem);
  });
  return new Map([...entries].map(([name, { start, bytes: length }]) => [name, read(start, length)]));
}

const writePickle = (checkpoint: string, saved: Buffer): void => {
  writeZip(checkpoint, archive().set(PICKLE, saved));
};

/** Numbers and other things that the args of a checkpoint, or the description of a tensor, are not expected to hold. */
const STRANGE: readonly (() => PickleValue)[] = [
  ...[
    0,
    1,
    -1,
    2,
    3,
    7,
    9,
    16,
    255,
    65536,
    65537,
    10_001,
    2 ** 20,
    2 ** 31 - 1,
    2 ** 31,
    2 ** 32,
    2 ** 53,
    1e300,
    -1e300,
    0.5,
    -0,
    Number.NaN,
    Infinity,
  ].map((value) => () => value),
  ...[
    '',
    'x',
    '0',
    'relu',
    'adaptive',
    'default',
    'en',
    '../../x',
    '"',
    '"[',
    '[1',
    '*a',
    '&a',
    '!!js',
    'x\ny',
    '\0',
    '\ufeff',
    '__proto__',
    'constructor',
    'x'.repeat(70_000),
  ].map((value) => () => value),
  () => true,
  () => false,
  () => null,
  () => [],
  () => new Map(),
  () => new Tuple([]),
  () => new Tuple([2 ** 31 - 1, 2 ** 31 - 1]),
  () => new Tuple(Array.from({ length: 500 }, () => 1)),
  () => nested(800), // deeper, the walk here would end; pickles of bytes go as deep as they like
  () => shared(60),
];

function nested(levels: number): PickleValue {
  let value: PickleValue = [];
  for (let i = 0; i < levels; i++) value = [value];
  return value;
}

/** A list that is 2^levels long when it is written out; pickles share what is there twice, ours here does not. */
function shared(levels: number): PickleValue {
  let value: PickleValue = ['x'];
  for (let i = 0; i < Math.min(levels, 8); i++) value = [value, value];
  return value;
}

/** Every place in a value where another one can be put. */
function placesIn(root: PickleValue): ((value: PickleValue) => void)[] {
  const places: ((value: PickleValue) => void)[] = [];
  const walk = (value: PickleValue): void => {
    if (value instanceof Map) walkMap(value);
    else if (value instanceof Made) {
      walkMap(value.items);
      walkList(value.args.items as PickleValue[]);
      walk(value.state);
    } else if (value instanceof Tuple) walkList(value.items as PickleValue[]);
    else if (value instanceof Persistent) walk(value.id);
    else if (Array.isArray(value)) walkList(value);
  };
  const walkMap = (map: Map<PickleValue, PickleValue>): void => {
    for (const [key, value] of map) {
      places.push(
        (other) => map.set(key, other),
        () => map.delete(key),
      );
      walk(value);
    }
  };
  const walkList = (list: PickleValue[]): void => {
    list.forEach((value, i) => {
      places.push((other) => {
        list[i] = other;
      });
      walk(value);
    });
  };
  walk(root);
  return places;
}

function saved(): Map<PickleValue, PickleValue> {
  const file = openTorchFile(path.join(FIXTURES, 'zip.pt'));
  file.close();
  const { args, model } = Object.fromEntries(file.value as Map<string, PickleValue>);
  return new Map<PickleValue, PickleValue>([
    ['args', args],
    ['model', model],
  ]);
}

/** Another value in some places of what was saved, or of its args alone. */
function misdescribe(checkpoint: string, draw: Draw): void {
  const value = saved();
  for (let left = 1 + draw.below(3); left > 0; left--) {
    const places = placesIn(
      draw.below(3) === 0 ? value : draw.from([value.get('args')!, value.get('model')!]),
    );
    if (places.length === 0) break; // a change before this one took them all away
    draw.from(places)(draw.from(STRANGE)());
  }
  writePickle(checkpoint, pickle(value));
}

/** One entry of the archive becomes longer, shorter, empty, or numbers that are none. */
function misfill(checkpoint: string, draw: Draw): void {
  const entries = archive();
  const name = draw.from([...entries.keys()]);
  const bytes = Buffer.from(entries.get(name)!);
  const strange = Buffer.alloc(4);
  strange.writeFloatLE(draw.from([Number.NaN, Infinity, -Infinity, 3.4e38, 1e-45]));
  if (bytes.length >= 4) strange.copy(bytes, 4 * draw.below(Math.floor(bytes.length / 4)));
  const filled = draw.from([
    bytes,
    bytes.subarray(0, draw.below(bytes.length + 1)),
    Buffer.concat([bytes, draw.bytes(8)]),
    Buffer.alloc(0),
  ]);
  writeZip(checkpoint, entries.set(name, filled));
}

/** Fields of a header of the archive, or of its end. */
function misdirect(checkpoint: string, draw: Draw): void {
  const bytes = original('zip.pt');
  const signature = draw.from(['PK\x01\x02', 'PK\x03\x04', 'PK\x05\x06']);
  const places: number[] = [];
  for (let at = bytes.indexOf(signature); at !== -1; at = bytes.indexOf(signature, at + 1)) places.push(at);
  for (let left = 1 + draw.below(2); left > 0; left--) {
    const at = Math.min(draw.from(places) + 4 + 2 * draw.below(22), bytes.length - 4);
    if (draw.below(2) === 0) bytes.writeUInt16LE(draw.from([0, 1, 2, 8, 0x7fff, 0xffff]), at);
    else bytes.writeUInt32LE(draw.from([0, 1, 64, bytes.length, 0x7fffffff, 0xffffffff]), at);
  }
  fs.writeFileSync(checkpoint, bytes);
}

const LINES = [
  'a 1',
  'the 5 #fairseq:overwrite',
  'a #fairseq:overwrite',
  '<s> 1',
  ' 1',
  '',
  'a',
  'a -1',
  `a ${'9'.repeat(40)}`,
  'a 1 1',
  '\u2581 1',
  '\u2028 1',
  'a 1\r',
  `${'x'.repeat(70_000)} 1`,
];

function misspell(dataBin: string, draw: Draw): void {
  const file = path.join(dataBin, `dict.${draw.from(LANGUAGES)}.txt`);
  const text = fs.readFileSync(file);
  const lines = text.toString().trimEnd().split('\n');
  const at = draw.below(lines.length);
  const edits: (() => Buffer)[] = [
    () => scramble(text, draw),
    () => op(''),
    () => Buffer.from(`${lines.with(at, draw.from(LINES)).join('\n')}\n`),
    () => Buffer.from(`${[...lines, draw.from(lines)].join('\n')}\n`),
    () => Buffer.from(`${lines.toSpliced(at, 1).join('\n')}\n`),
    () => Buffer.from(`${lines.with(at, `${draw.from(lines)} #fairseq:overwrite`).join('\n')}\n`),
    () => Buffer.from('a 1\n'.repeat(draw.from([100, 300_000]))),
  ];
  fs.writeFileSync(file, draw.from(edits)());
}

const whole = (checkpoint: string, draw: Draw): void => {
  fs.copyFileSync(path.join(FIXTURES, draw.from(['legacy.pt', 'zip.pt'])), checkpoint);
};

const MUTATIONS: Readonly<Record<string, Mutation>> = {
  'bytes of the older format': (checkpoint, _, draw) =>
    fs.writeFileSync(checkpoint, scramble(original('legacy.pt'), draw)),
  'bytes of the archive': (checkpoint, _, draw) =>
    fs.writeFileSync(checkpoint, scramble(original('zip.pt'), draw)),
  'bytes of the pickle, with its sum': (checkpoint, _, draw) =>
    writePickle(checkpoint, scramble(Buffer.from(archive().get(PICKLE)!), draw)),
  'a pickle of few bytes': (checkpoint, _, draw) => {
    writePickle(checkpoint, Buffer.concat([op('\x80\x02'), ...draw.some(OPCODES, 40), op('.')]));
  },
  'pickles of the older format': (checkpoint, _, draw) => {
    const pieces = [
      MAGIC,
      pickle(1001),
      pickle(new Map([['little_endian', true]])),
      pickle(saved()),
      pickle([]),
    ];
    pieces[draw.below(pieces.length)] = Buffer.concat([op('\x80\x02'), ...draw.some(OPCODES, 4), op('.')]);
    fs.writeFileSync(checkpoint, Buffer.concat(pieces));
  },
  'args and tensors': (checkpoint, _, draw) => misdescribe(checkpoint, draw),
  'numbers of the weights': (checkpoint, _, draw) => misfill(checkpoint, draw),
  'headers of the archive': (checkpoint, _, draw) => misdirect(checkpoint, draw),
  dictionaries: (checkpoint, dataBin, draw) => {
    whole(checkpoint, draw);
    misspell(dataBin, draw);
  },
  ...MARIAN_MUTATIONS,
};

/**
 * Writes the mutant of a number, always the same one: a checkpoint and, beside it, its dictionaries; or a model of Marian and
 * its vocabulary, `vocab.yml`.
 *
 * @returns the kind of its change
 */
export function writeMutant(
  folder: string,
  seed: number,
  index: number,
): { kind: string; checkpoint: string; dataBin: string } {
  const kinds = Object.keys(MUTATIONS);
  const kind = kinds[index % kinds.length];
  const name = Object.hasOwn(MARIAN_MUTATIONS, kind) ? 'model.npz' : 'model.pt';
  const [checkpoint, dataBin] = [path.join(folder, name), path.join(folder, 'data')];
  fs.mkdirSync(dataBin, { recursive: true });
  for (const language of LANGUAGES)
    fs.copyFileSync(path.join(DATA_BIN, `dict.${language}.txt`), path.join(dataBin, `dict.${language}.txt`));
  fs.writeFileSync(path.join(dataBin, 'vocab.yml'), marianVocabulary(SMALL.vocabulary));
  MUTATIONS[kind](checkpoint, dataBin, new Draw(seed, index));
  return { kind, checkpoint, dataBin };
}
