import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LayerStores, type PlaceHolder } from '../../src/model/layer-stores.js';
import type { KeyValueStore } from '../../src/ops/cached-attention.js';
import { tf } from '../../src/ops/tf.js';
import { allClose } from '../ops/all-close.js';
import { onEachBackend } from '../ops/backends.js';

const WIDTH = 4;

/** Rows that say which place they were stored at first. */
const numbered = (first: number, count: number): tf.Tensor2D =>
  tf.tensor2d(
    Float32Array.from({ length: count * WIDTH }, (_, i) => first + Math.floor(i / WIDTH)),
    [count, WIDTH],
  );

/** What stands at the places of a holder, in both layers. */
async function valuesOf(stores: LayerStores, { places }: PlaceHolder): Promise<number[][]> {
  const found: number[][] = [];
  for (const store of stores.stores) {
    const column: number[] = [];
    for (const place of places) {
      const seen = { places: Int32Array.of(place), offsets: Int32Array.of(0, 1) };
      const out = store.attend(tf.zeros([1, WIDTH]), seen, 1);
      column.push((await out.data())[0]);
    }
    found.push(column);
  }
  return found;
}

onEachBackend(() => {
  test('places in use stay what they are when others go, and what nobody holds is given out again', async () => {
    const stores = new LayerStores(2, WIDTH, []);
    const holders: PlaceHolder[] = [];
    const store = (count: number): PlaceHolder => {
      const first = stores.take(count);
      for (const layer of stores.stores) layer.put(first, numbered(first, count), numbered(first, count));
      const holder = { places: Int32Array.from({ length: count }, (_, i) => first + i) };
      holders.push(holder);
      return holder;
    };
    const [, b, , d] = [store(5), store(3), store(6), store(4)];
    const kept = [b, d, { places: Int32Array.of(16, 7) }];
    const before = await Promise.all(kept.map((holder) => valuesOf(stores, holder)));
    stores.compact([...holders, kept[2]]);
    assert.deepEqual([...b.places], [5, 6, 7], 'more than half is in use: nothing moves');
    stores.compact(kept);
    assert.deepEqual([...b.places], [0, 1, 2]);
    assert.deepEqual([...kept[2].places], [5, 2], 'shared places move together');
    for (const [i, holder] of kept.entries())
      for (const [layer, values] of (await valuesOf(stores, holder)).entries())
        allClose(values, before[i][layer]);
    assert.equal(stores.take(1), 7);
  });

  test('memory is handed on to the next batch', () => {
    const spare: KeyValueStore[] = [];
    const first = new LayerStores(2, WIDTH, spare);
    first.stores[0].put(0, numbered(0, 3), numbered(0, 3));
    first.dispose();
    assert.equal(spare.length, 2);
    const next = new LayerStores(2, WIDTH, spare);
    assert.equal(spare.length, 0);
    assert.ok(next.stores.every((store) => first.stores.includes(store)));
    assert.equal(next.take(1), 0);
    for (const store of next.stores) store.dispose();
  });
});
