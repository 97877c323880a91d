import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ColumnLists, pickColumns, pickColumnsReference } from '../../src/ops/pick-columns.js';
import { tf } from '../../src/ops/tf.js';
import { onEachBackend } from './backends.js';
import { matrix, rowsOf } from './samples.js';

const none = Number.NEGATIVE_INFINITY;

function listsOf(lists: readonly number[][]): ColumnLists {
  const offsets = [0];
  for (const list of lists) offsets.push(offsets[offsets.length - 1] + list.length);
  return { columns: Int32Array.from(lists.flat()), offsets: Int32Array.from(offsets) };
}

onEachBackend((backend) => {
  test('each row goes on with the columns of its list, and −∞ after them', async () => {
    const x = tf.tensor2d([
      [0, 1, 2, 3],
      [10, 11, 12, 13],
      [20, 21, 22, 23],
      [Number.NaN, Infinity, none, -1],
    ]);
    const lists = listsOf([[2, 0], [], [3], [0, 1, 2, 3]]);
    const expected = [
      [3, none, none, none, none],
      [12, 10, none, none, none],
      [22, 20, none, none, none],
      [Number.NaN, Infinity, none, -1, none],
    ];
    for (const pick of [pickColumns, pickColumnsReference]) {
      const found = pick(x, lists, Int32Array.of(2, 0, 0, 3), 5);
      assert.deepEqual(rowsOf(found), expected);
      assert.deepEqual(rowsOf(pick(x, lists, Int32Array.of(1, 1, 1, 1), 1)), Array(4).fill([none]));
      assert.deepEqual(pick(tf.zeros([0, 4]), lists, new Int32Array(0), 3).shape, [0, 3]);
    }
  });

  test('long rows of several lists, as one by one', () => {
    const [rows, size] = [37, 531];
    const x = matrix(rows, size);
    const lists = Array.from({ length: 5 }, (_, list) =>
      Array.from({ length: 100 * list + 3 }, (_, j) => (j * (list + 7)) % size),
    );
    const of = Int32Array.from({ length: rows }, (_, row) => row % 5);
    const values = rowsOf(x);
    rowsOf(pickColumns(x, listsOf(lists), of, 416)).forEach((found, row) => {
      const expected = lists[row % 5].map((column) => values[row][column]);
      assert.deepEqual(found, [...expected, ...Array(416 - expected.length).fill(none)]);
    });
  });

  test('no tensor stays', () => {
    const x = matrix(2, 3);
    const before = tf.memory().numTensors;
    pickColumns(x, listsOf([[1]]), Int32Array.of(0, 0), 2).dispose();
    assert.equal(tf.memory().numTensors, before);
    x.dispose();
  });

  if (backend !== 'native') return;
  test('what lies outside is refused', () => {
    const x = matrix(2, 3);
    const pick = (lists: number[][], rows: number[], width: number) => () =>
      pickColumns(x, listsOf(lists), Int32Array.from(rows), width);
    assert.throws(pick([[3]], [0, 0], 2), /a column lies outside of the rows/);
    assert.throws(pick([[-1]], [0, 0], 2), /a column lies outside of the rows/);
    assert.throws(pick([[1]], [0, 1], 2), /there is no such list/);
    assert.throws(pick([[1, 2, 0]], [0, 0], 2), /a list is longer than the width/);
    assert.throws(pick([[1]], [0], 2), /expected 3 elements in x, found 6/);
    x.dispose();
  });
});
