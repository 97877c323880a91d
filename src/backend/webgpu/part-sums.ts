import type { tf } from '../../ops/tf.js';
import type { Encoder, Groups } from './encoder.js';
import type { Pool } from './pool.js';
import { type BufferKind, ELEMENT, program, variants } from './program.js';
import type { Stored, TensorStorage } from './stored.js';

/** A product [m, n] of which the depth was cut into parts, each a matrix of its own, one behind another in `sums`. */
export interface PartSum {
  sums: number;
  /** Where the product goes, from a place on, and how far it is there from row to row. */
  c: number;
  cStart: number;
  cPitch: number;
  parts: number;
  m: number;
  n: number;
  /** The same for the sums of the rows of its first matrix, [m] for each part. */
  rows?: { sums: number; c: number } | undefined;
}

/** What has the tensors. */
interface Owner {
  readonly pool: Pool;
  readonly encoder: Encoder;
  elements(count: number): Groups;
}

/** Storage buffers of a program that every device has. */
const MOST_BUFFERS = 8;

/**
 * Sums of parts that are still to be made. A weight's gradient is not looked at before all of them are there, so that
 * one program can make several of them: whoever asks for a buffer of a tensor that waits has them made first.
 */
export class PartSums {
  private readonly owner: Owner;
  private readonly stored: TensorStorage;
  private waiting: PartSum[] = [];
  private results: Stored[] = [];

  /** @param stored the tensors of the backend */
  constructor(owner: Owner, stored: TensorStorage) {
    this.owner = owner;
    this.stored = stored;
  }

  /** @param results the tensors that are not whole before; without any, the sum is made at once */
  add(sum: PartSum, results: readonly tf.TensorInfo[]): void {
    if (buffersOf([...this.waiting, sum]) > MOST_BUFFERS) this.make();
    this.waiting.push(sum);
    for (const { dataId } of results) {
      const stored = this.stored.get(dataId);
      stored.unsummed = true;
      this.results.push(stored);
    }
    if (results.length === 0) this.make();
  }

  /** Makes all that wait, and whose parts the device has not lost. */
  make(): void {
    const { pool, encoder } = this.owner;
    const waiting = this.waiting.filter(({ sums }) => pool.holds(sums));
    for (const stored of this.results) stored.unsummed = false;
    this.waiting = [];
    this.results = [];
    if (waiting.length === 0) return;
    const ids: Record<string, number> = {};
    const uniforms: Record<string, number> = { count: 0 };
    waiting.forEach(({ sums, c, cStart, cPitch, parts, m, n, rows }, i) => {
      const count = m * n + (rows === undefined ? 0 : m);
      uniforms.count += count;
      Object.assign(ids, { [`sums${i}`]: sums, [`c${i}`]: c });
      if (rows !== undefined) Object.assign(ids, { [`rowParts${i}`]: rows.sums, [`rowSums${i}`]: rows.c });
      for (const [name, value] of Object.entries({ count, parts, m, n, cStart, cPitch }))
        uniforms[`${name}${i}`] = value;
    });
    const made = partSums(waiting.map(({ rows }) => (rows === undefined ? '-' : 'r')).join(''));
    encoder.dispatch(made, ids, uniforms, this.owner.elements(uniforms.count));
    for (const { sums, rows } of waiting) {
      pool.give(sums);
      if (rows !== undefined) pool.give(rows.sums);
    }
  }
}

const buffersOf = (sums: readonly PartSum[]): number =>
  sums.reduce((count, { rows }) => count + (rows === undefined ? 2 : 4), 0);

/** Adds up the parts of some products, those of each always in the same order: a letter for each, r with sums of rows. */
const partSums = variants((products: string) => {
  const withRows = [...products].map((letter) => letter === 'r');
  return program(
    Object.fromEntries(withRows.flatMap(buffersAt)),
    {
      count: 'u32',
      ...Object.fromEntries(withRows.flatMap((_, i) => FIELDS.map((name) => [name + i, 'u32']))),
    },
    `${withRows.map(elementAt).join('')}
${ELEMENT}
  var at = i;
${withRows.map((_, i) => `  if (at < p.count${i}) { element${i}(at); return; }\n  at -= p.count${i};\n`).join('')}}`,
  );
});

const FIELDS = ['count', 'parts', 'm', 'n', 'cStart', 'cPitch'] as const;

function buffersAt(rows: boolean, i: number): [string, BufferKind][] {
  const buffers: [string, BufferKind][] = [
    [`sums${i}`, 'floats'],
    [`c${i}`, 'numbersOut'],
  ];
  if (rows) buffers.push([`rowParts${i}`, 'floats'], [`rowSums${i}`, 'floatsOut']);
  return buffers;
}

/** Of the product of a place: an element of it, or behind them one of the sums of rows. */
const elementAt = (rows: boolean, i: number): string => `
fn element${i}(at: u32) {
  let size = p.m${i} * p.n${i};
  var sum = 0.0;
  if (at < size) {
    for (var part = 0u; part < p.parts${i}; part++) { sum += sums${i}[part * size + at]; }
    to_c${i}(p.cStart${i} + at / p.n${i} * p.cPitch${i} + at % p.n${i}, sum);
    return;
  }${
    rows
      ? `
  for (var part = 0u; part < p.parts${i}; part++) { sum += rowParts${i}[part * p.m${i} + at - size]; }
  rowSums${i}[at - size] = sum;`
      : ''
  }
}`;
