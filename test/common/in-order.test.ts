import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { mapInOrder } from '../../src/common/in-order.js';

async function* count(to: number, end?: Error): AsyncGenerator<number, string, void> {
  for (let i = 0; i < to; i++) yield i;
  if (end !== undefined) throw end;
  return 'the end';
}

async function collect<T, E>(items: AsyncGenerator<T, E, void>): Promise<{ found: T[]; end: E | Error }> {
  const found: T[] = [];
  try {
    for (;;) {
      const step = await items.next();
      if (step.done) return { found, end: step.value };
      found.push(step.value);
    }
  } catch (error) {
    return { found, end: error as Error };
  }
}

test('results come in the order of the items, whichever is done first, and no more are under way than may be', async () => {
  for (const most of [1, 2, 3, 20]) {
    let [underWay, highest] = [0, 0];
    const work = async (item: number): Promise<number> => {
      underWay++;
      highest = Math.max(highest, underWay);
      await setTimeout((7 * item) % 5);
      underWay--;
      return item * item;
    };
    const { found, end } = await collect(mapInOrder(count(10), work, most));
    assert.deepEqual(
      found,
      Array.from({ length: 10 }, (_, i) => i * i),
    );
    assert.equal(end, 'the end');
    assert.equal(highest, Math.min(most, 10));
  }
});

test('the first error in the order of the items is thrown, after the results before it', async () => {
  for (const most of [1, 2, 3, 20]) {
    const work = async (item: number): Promise<number> => {
      await setTimeout(10 - item);
      if (item === 4 || item === 6) throw new Error(`item ${item}`);
      return item;
    };
    const inItems = await collect(mapInOrder(count(10), work, most));
    assert.deepEqual([inItems.found, (inItems.end as Error).message], [[0, 1, 2, 3], 'item 4']);
    const earlier = await collect(mapInOrder(count(5, new Error('no more')), work, most));
    assert.deepEqual([earlier.found, (earlier.end as Error).message], [[0, 1, 2, 3], 'item 4']);
    const ofItems = await collect(mapInOrder(count(3, new Error('no more')), work, most));
    assert.deepEqual([ofItems.found, (ofItems.end as Error).message], [[0, 1, 2], 'no more']);
  }
});

test('who stops early ends the items', async () => {
  let ended = false;
  async function* items(): AsyncGenerator<number, void, void> {
    try {
      for (;;) yield 1;
    } finally {
      ended = true;
    }
  }
  for await (const _ of mapInOrder(items(), (item) => item, 3)) break;
  assert.ok(ended);
});
