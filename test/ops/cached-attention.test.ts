import assert from 'node:assert/strict';
import { test } from 'node:test';
import { attentionReference } from '../../src/ops/attention.js';
import { KeyValueStore, seenBy } from '../../src/ops/cached-attention.js';
import { tf } from '../../src/ops/tf.js';
import { allClose } from './all-close.js';
import { onEachBackend } from './backends.js';
import { matrix } from './samples.js';

const PLAIN = { causal: false, dropout: 0, key: null };

onEachBackend(() => {
  for (const [width, heads] of [
    [4, 1],
    [6, 2],
    [64, 4],
    [66, 3],
  ]) {
    test(`width ${width}, ${heads} heads: the attention to the keys that each row sees`, () => {
      tf.tidy(() => {
        const [queries, keys, values] = [matrix(4, width, 1), matrix(9, width, 2), matrix(9, width, 3)];
        const store = new KeyValueStore(width);
        const part = (x: tf.Tensor2D, first: number, count: number) =>
          tf.slice(x, [first, 0], [count, width]);
        store.put(0, part(keys, 0, 4), part(values, 0, 4));
        store.put(4, part(keys, 4, 5), part(values, 4, 5));
        const lists = [[0, 1, 2, 3, 4, 5, 6, 7, 8], [8], [7, 2, 5], [3, 1]];
        const rows = lists.map((list, row) => {
          const [k, v] = [keys, values].map((x) => tf.gather(x, tf.tensor1d(list, 'int32')) as tf.Tensor2D);
          const offsets = [Int32Array.of(0, 1), Int32Array.of(0, list.length)] as const;
          return attentionReference(part(queries, row, 1), k, v, ...offsets, { ...PLAIN, heads });
        });
        const expected = tf.concat(rows, 0);
        const seen = seenBy(lists);
        allClose(store.attend(queries, seen, heads), expected, { absolute: 2e-6, relative: 1e-5 });
        allClose(store.attendReference(queries, seen, heads), expected, { absolute: 2e-6, relative: 1e-5 });
        const wide = tf.concat([matrix(4, 2, 9), queries, matrix(4, 3, 8)], 1) as tf.Tensor2D;
        const view = { tensor: wide, column: 2 };
        allClose(store.attend(view, seen, heads), expected, { absolute: 2e-6, relative: 1e-5 });
        store.dispose();
      });
    });
  }

  test('scores far apart, the greatest of them at any place, and one that is not a number', () => {
    tf.tidy(() => {
      const store = new KeyValueStore(1);
      store.put(0, tf.tensor2d([[300], [0], [-300], [Number.NaN]]), tf.tensor2d([[1], [2], [3], [4]]));
      const lists = [
        [0, 1, 2],
        [2, 1, 0],
        [1, 0, 2],
        [1, 2],
        [0, 3, 1],
      ];
      const found = store.attend(tf.ones([lists.length, 1]), seenBy(lists), 1);
      allClose(found, [1, 1, 1, 2, Number.NaN], { absolute: 0, relative: 0 });
    });
  });

  test('compacting moves keys and values to the places that are asked for', () => {
    tf.tidy(() => {
      const [queries, keys, values] = [matrix(2, 8, 1), matrix(6, 8, 2), matrix(6, 8, 3)];
      const store = new KeyValueStore(8);
      store.put(0, keys, values);
      const before = store.attend(queries, seenBy([[1, 4], [5]]), 2);
      store.compact(Int32Array.of(1, 4, 5));
      allClose(store.attend(queries, seenBy([[0, 1], [2]]), 2), before, { absolute: 0, relative: 0 });
      store.put(3, keys, values);
      allClose(store.attend(queries, seenBy([[0, 1], [2]]), 2), before, { absolute: 0, relative: 0 });
      allClose(store.attend(queries, seenBy([[4, 7], [8]]), 2), before, { absolute: 0, relative: 0 });
      store.dispose();
    });
  });

  test('a store keeps what it holds when a tidy ends, and nothing once it is disposed of', () => {
    const inputs = [matrix(2, 8, 1), matrix(6, 8, 2), matrix(6, 8, 3)];
    const before = tf.memory().numTensors;
    const store = new KeyValueStore(8);
    tf.tidy(() => store.put(0, inputs[1], inputs[2]));
    const held = tf.memory().numTensors;
    const seen = seenBy([[1, 4], [5]]);
    const [found, expected] = [store.attend(inputs[0], seen, 2), store.attendReference(inputs[0], seen, 2)];
    allClose(found, expected, { absolute: 2e-6, relative: 1e-5 });
    tf.dispose([found, expected]);
    tf.tidy(() => store.put(6, inputs[1], inputs[2]));
    store.compact(Int32Array.of(3));
    assert.equal(tf.memory().numTensors, held);
    store.dispose();
    assert.equal(tf.memory().numTensors, before);
    tf.dispose(inputs);
  });
});
