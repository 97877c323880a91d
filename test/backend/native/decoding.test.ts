import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { initBackend } from '../../../src/backend/init.js';
import { type Kernels, runFused } from '../../../src/ops/kernels.js';
import { tf } from '../../../src/ops/tf.js';
import { availableBackends } from '../../ops/backends.js';
import { matrix } from '../../ops/samples.js';
import { throwsNaming } from './throws-naming.js';

const skip = availableBackends.includes('native') ? false : 'the native engine is not built';

/** Five rows of three and the three columns behind them, into a store of eight places. */
const STORE = { column: 3, first: 0, from: null } satisfies Kernels['StoreRows']['attributes'];

function store(change: Partial<Kernels['StoreRows']['attributes']>, width = 3): number[] {
  return tf.tidy(() => {
    const stored = tf.fill([8, width], -1);
    const values = stored.dataSync();
    try {
      runFused('StoreRows', { rows: matrix(5, 6), stored }, { ...STORE, ...change });
    } catch (error) {
      assert.deepEqual(stored.dataSync(), values, 'what is refused changes nothing');
      throw error;
    }
    return [...stored.dataSync()];
  });
}

/** Two queries of width 4 behind one column, to five keys. */
const ATTEND = {
  ...{ heads: 2, column: 1, places: Int32Array.of(0, 4, 2), offsets: Int32Array.of(0, 2, 3) },
} satisfies Kernels['CachedAttention']['attributes'];

function attend(
  change: Partial<Kernels['CachedAttention']['attributes']>,
  { width = 4, queries = 2, values = 5 } = {},
): number[] {
  return tf.tidy(() => {
    const inputs = { queries: matrix(queries, 5), keys: matrix(5, width), values: matrix(values, width) };
    return [...runFused('CachedAttention', inputs, { ...ATTEND, ...change })[0].dataSync()];
  });
}

describe('the bounds of the native decoding kernels', { skip }, () => {
  before(() => initBackend('native', 2));

  test('rows are stored up to the last column, the last row and the last place', () => {
    const rows = tf.tidy(() => [...matrix(5, 6).dataSync()]);
    const cut = (row: number): number[] => rows.slice(6 * row + 3, 6 * row + 6);
    const empty = (places: number): number[] => new Array(3 * places).fill(-1);
    assert.deepEqual(store({ first: 3 }), [...empty(3), ...[0, 1, 2, 3, 4].flatMap(cut)]);
    assert.deepEqual(store({ first: 6, from: Int32Array.of(0, 4) }), [...empty(6), ...cut(0), ...cut(4)]);
    assert.deepEqual(store({ first: 8, from: Int32Array.of() }), empty(8));
  });

  for (const [what, change, message] of [
    ['columns before their row', { column: -1 }, /expected a size/],
    ['columns behind their row', { column: 4 }, /columns lie outside/],
    ['a place before the store', { first: -1 }, /expected a size/],
    ['places behind the store', { first: 4 }, /place lies outside/],
    ['places of a list behind the store', { first: 7, from: Int32Array.of(0, 1) }, /place lies outside/],
    ['a row before the rows', { from: Int32Array.of(0, -1) }, /row lies outside/],
    ['a row behind the rows', { from: Int32Array.of(0, 5) }, /row lies outside/],
  ] as const) {
    test(`StoreRows refuses ${what}`, () => throwsNaming(() => store(change), /StoreRows/, message));
  }

  test('StoreRows refuses rows of no width', () =>
    throwsNaming(
      () => runFused('StoreRows', { rows: tf.zeros([5, 0]), stored: tf.zeros([8, 0]) }, STORE),
      /StoreRows/,
      /rows must be whole/,
    ));

  test('attention reaches the last column of the queries and the last place', () => {
    const [first, second] = tf.tidy(() => [matrix(5, 4).arraySync()[4], matrix(5, 4).arraySync()[0]]);
    const places = Int32Array.of(4, 0);
    assert.deepEqual(attend({ places, offsets: Int32Array.of(0, 1, 2) }), [...first, ...second]);
  });

  for (const [what, change, message, shapes] of [
    ['heads that do not divide the width', { heads: 3 }, /heads must divide/],
    ['no heads', { heads: 0 }, /heads must divide/],
    ['keys of no width', {}, /heads must divide/, { width: 0 }],
    ['queries before their row', { column: -1 }, /expected a size/],
    ['queries behind their row', { column: 2 }, /queries lie outside/],
    ['a place before the store', { places: Int32Array.of(0, -1, 2) }, /place lies outside/],
    ['a place behind the store', { places: Int32Array.of(0, 5, 2) }, /place lies outside/],
    ['offsets that start late', { offsets: Int32Array.of(1, 2, 3) }, /seenOffsets must start with 0/],
    ['no offsets', { offsets: Int32Array.of() }, /seenOffsets must start with 0/],
    ['offsets that fall', { offsets: Int32Array.of(0, 4, 3) }, /seenOffsets must not fall/],
    ['offsets behind the places', { offsets: Int32Array.of(0, 2, 4) }, /end at the length/],
    ['offsets short of the places', { offsets: Int32Array.of(0, 1, 2) }, /end at the length/],
    ['offsets for fewer queries', { offsets: Int32Array.of(0, 3) }, /5 elements in queries, found 10/],
    ['fewer queries than offsets', {}, /10 elements in queries, found 5/, { queries: 1 }],
    ['fewer values than keys', {}, /20 elements in values, found 16/, { values: 4 }],
  ] as const) {
    test(`CachedAttention refuses ${what}`, () =>
      throwsNaming(() => attend(change, shapes), /CachedAttention|cachedAttention/, message));
  }
});
