import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FairseqList } from '../../src/decode/fairseq-list.js';
import { listCodec, OPTIONS, readAll, sourceOf } from './given-lists.js';

const LINES = [
  'S-0\ta',
  'T-0\tb',
  'H-0\t-0.5\t4 5',
  'D-0\t-0.5\tx yy',
  'P-0\t-1 -1 -1',
  'H-0\t-0.6\t6',
  'D-0\t-0.6\tzzz',
  'S-2\tc',
  'D-2\t-1.0\t',
];

const list = (tokens: boolean) =>
  new FairseqList(sourceOf('a', 'b', 'cc'), listCodec, { ...OPTIONS, tokens });

test('H, D and P lines of a translation get its score in base 2, other lines stay', async () => {
  const { pairs, written } = await readAll(list(false), LINES);
  assert.deepEqual(pairs, [[[1, 2], [[1, 2, 2]]], [[1, 2], [[3, 2]]], [[2, 2], [[]]]]); // biome-ignore format: one line
  const score = (value: number) => String(Math.fround(value / Math.LN2));
  assert.deepEqual(written.split('\n'), [
    ...LINES.slice(0, 2),
    `H-0\t${score(-2)}\t4 5`,
    `D-0\t${score(-2)}\tx yy`,
    `P-0\t${[1, 2, 3].map((value) => (-value / Math.LN2).toFixed(4)).join(' ')}`,
    `H-0\t${score(-1.5)}\t6`,
    `D-0\t${score(-1.5)}\tzzz`,
    'S-2\tc',
    'D-2\t0.0\t',
    '',
  ]);
});

test('tokens are those of H lines', async () => {
  const { pairs } = await readAll(list(true), LINES.slice(0, 7));
  assert.deepEqual(pairs, [[[1, 2], [[4, 5, 2]]], [[1, 2], [[6, 2]]]]); // biome-ignore format: one line
  await assert.rejects(readAll(list(true), LINES.slice(8)), /list:1: .*found D- without H-/);
});

test('lines that are none, or out of order, are named', async () => {
  for (const line of ['x', 'H-0', 'H-0\t4 5', 'H-x\t1\t4', 'P-7\t1'])
    await assert.rejects(readAll(list(false), [LINES[0], line]), /^UserError: list:2: expected a list/);
  await assert.rejects(
    readAll(list(false), [LINES[8], LINES[3]]),
    /^UserError: list:2: expected .* in the order/,
  );
  await assert.rejects(
    readAll(list(false), ['H-3\t1\t4']),
    /^UserError: list:1: found a translation of sentence 3/,
  );
});
