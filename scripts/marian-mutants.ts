import * as fs from 'node:fs';
import * as path from 'node:path';
import { writeZip } from '../src/formats/zip.js';
import {
  marianArrays,
  marianFiles,
  marianOptions,
  marianVocabulary,
  npyWith,
  SMALL,
} from './marian-model.js';
import { type Draw, scramble } from './mutant-draw.js';

/** Models of Marian and vocabularies, damaged, altered and made to harm. */

/** Writes a model and its vocabulary into a folder. */
type Mutation = (model: string, vocabularies: string, draw: Draw) => void;

const OPTIONS = 'special:model.yml.npy';
const wholeFiles = (draw: Draw, changes: Record<string, unknown> = {}): Map<string, Uint8Array> =>
  marianFiles(
    marianOptions(SMALL, changes),
    marianArrays(SMALL, () => draw.below(1000) / 1000 - 0.5),
  );

const HEADERS = [
  '{}',
  '',
  "{'descr': '|O', 'fortran_order': False, 'shape': (8,), }",
  "{'descr': '<f8', 'fortran_order': False, 'shape': (1, 8), }",
  "{'descr': '<f4', 'fortran_order': True, 'shape': (8, 8), }",
  "{'descr': '<f4', 'fortran_order': False, 'shape': (), }",
  "{'descr': '<f4', 'fortran_order': False, 'shape': (0, 8), }",
  "{'descr': '<f4', 'fortran_order': False, 'shape': (9999999999, 9999999999), }",
  "{'descr': '<f4', 'fortran_order': False, 'shape': (-1, 8), }",
  `{'descr': '<f4', 'fortran_order': False, 'shape': (${'1, '.repeat(200)}8), }`,
  `{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (8,), }`,
  "__import__('os').system('true')",
  `${'('.repeat(5000)}`,
  'x'.repeat(60_000),
];
const VALUES = [
  0,
  -1,
  1,
  3,
  7,
  2 ** 16,
  2 ** 31,
  1e300,
  0.5,
  true,
  false,
  null,
  '',
  'x',
  'n',
  'transformer',
  [],
  [1],
  {},
];
const TEXTS = [
  '',
  'a',
  '- a',
  '&a [*a]',
  `${'['.repeat(30_000)}`,
  `a: ${'{a: '.repeat(5000)}`,
  `a: &b [x, x]\n${'c: *b\n'.repeat(9)}`,
  'type: !!js/function x',
  'x'.repeat(70_000),
  '\0\xff',
];
const LINES = [
  '',
  'x',
  'x: y',
  'x: -1',
  'x: 0',
  'x: 99999999',
  '"\\q": 5',
  '"\\U00110000": 5',
  '" ": 5',
  '"a\\nb": 5',
  "' : 5",
];

/** An array with another header, or other bytes. */
function misdescribe(model: string, draw: Draw): void {
  const files = wholeFiles(draw);
  const name = draw.from([...files.keys()]);
  const edits = [
    () => npyWith(draw.from(HEADERS), draw.bytes(32)),
    () => npyWith(draw.from(HEADERS), draw.bytes(32), draw.from([0, 1, 9_999, 65_535])),
    () => scramble(Buffer.from(files.get(name)!), draw),
    () => Buffer.alloc(draw.below(20)),
  ];
  files.set(name, draw.from(edits)());
  writeZip(model, files);
}

export const MARIAN_MUTATIONS: Readonly<Record<string, Mutation>> = {
  'bytes of an archive of Marian': (model, _, draw) => {
    writeZip(model, wholeFiles(draw));
    fs.writeFileSync(model, scramble(fs.readFileSync(model), draw));
  },
  'arrays of Marian': (model, _, draw) => misdescribe(model, draw),
  'names of arrays of Marian': (model, _, draw) => {
    const files = wholeFiles(draw);
    const name = draw.from([...files.keys()]);
    const bytes = files.get(name)!;
    if (draw.below(2) === 0) files.delete(name);
    files.set(
      draw.from(['../x.npy', '/x.npy', 'x', 'x.npy', '__proto__.npy', 'a..npy', `${'x'.repeat(900)}.npy`]),
      bytes,
    );
    writeZip(model, files);
  },
  'options of Marian': (model, _, draw) => {
    const names = marianOptions(SMALL).match(/^[\w-]+/gm)!;
    const changes = Object.fromEntries(draw.some(names, 3).map((name) => [name, draw.from(VALUES)]));
    const files = wholeFiles(draw, changes);
    if (draw.below(3) === 0) files.set(OPTIONS, marianFiles(draw.from(TEXTS), new Map()).get(OPTIONS)!);
    writeZip(model, files);
  },
  'vocabularies of Marian': (model, folder, draw) => {
    writeZip(model, wholeFiles(draw));
    const file = path.join(folder, 'vocab.yml');
    const text = marianVocabulary(SMALL.vocabulary);
    const lines = text.split('\n');
    const edits = [
      () => scramble(Buffer.from(text), draw),
      () => Buffer.from(lines.with(draw.below(lines.length), draw.from(LINES)).join('\n')),
      () => Buffer.from(`${text}${draw.from(LINES)}\n`),
      () => Buffer.from('a: 1\n'.repeat(draw.from([10, 300_000]))),
    ];
    fs.writeFileSync(file, draw.from(edits)());
  },
};
