import { hasKernel, runFused } from './kernels.js';
import { tf } from './tf.js';

/**
 * Says that tensors are going to be updated together, over and over: a backend that gains by it has them, and their
 * gradients, one behind another in its memory. Values stay.
 */
export function layTogether(tensors: readonly tf.Tensor[]): void {
  if (!hasKernel('LayTogether')) return;
  const before = laid.get(tensors);
  if (before !== undefined && tensors.every(({ dataId }, i) => dataId === before[i])) return;
  runFused('LayTogether', {}, { tensor: tensors });
  laid.set(
    tensors,
    tensors.map(({ dataId }) => dataId),
  );
}

/** By list, the memory of its tensors when it was last laid together: a value that is assigned has memory of its own. */
const laid = new WeakMap<readonly tf.Tensor[], object[]>();

/** The sum of two lists of tensors, place by place; the lists given are used up on the way. */
export function addLists(sums: tf.Tensor[], list: readonly tf.Tensor[]): tf.Tensor[] {
  if (hasKernel('AddLists')) {
    runFused('AddLists', {}, { sum: sums, term: list });
    tf.dispose([...list]);
    return sums;
  }
  return sums.map((sum, i) => {
    const next = tf.add(sum, list[i]);
    tf.dispose([sum, list[i]]);
    return next;
  });
}
