/**
 * Moves the `count` greatest of `items` to the front, in no order, choosing among equals as `std::partial_sort` of
 * GNU's library does (bits/stl_algo.h, __heap_select): a heap of the first `count`, whose least one gives way to
 * every greater one that follows.
 */
export function selectGreatest(
  items: number[] | Int32Array,
  count: number,
  value: (item: number) => number,
): void {
  for (let parent = (count - 2) >> 1; parent >= 0; parent--)
    adjust(items, parent, count, items[parent], value);
  for (let i = count; i < items.length; i++) {
    const item = items[i];
    if (count === 0 || value(item) <= value(items[0])) continue;
    items[i] = items[0];
    adjust(items, 0, count, item, value);
  }
}

/** Moves the hole at `place` down to a leaf along the lesser children, then `item` up from there (__adjust_heap). */
function adjust(
  heap: number[] | Int32Array,
  place: number,
  size: number,
  item: number,
  value: (item: number) => number,
): void {
  const top = place;
  let hole = place;
  let child = place;
  while (child < (size - 1) >> 1) {
    child = 2 * (child + 1);
    if (value(heap[child]) > value(heap[child - 1])) child--;
    heap[hole] = heap[child];
    hole = child;
  }
  if ((size & 1) === 0 && child === (size - 2) >> 1) {
    child = 2 * child + 1;
    heap[hole] = heap[child];
    hole = child;
  }
  for (
    let parent = (hole - 1) >> 1;
    hole > top && value(heap[parent]) > value(item);
    parent = (hole - 1) >> 1
  ) {
    heap[hole] = heap[parent];
    hole = parent;
  }
  heap[hole] = item;
}
