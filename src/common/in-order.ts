/**
 * Works on items as they come, on several at a time, and gives the results in the order of the items, then what the items
 * end with. An error comes in its place: what fails first in the order of the items is what is thrown.
 *
 * @param most items under way at a time
 */
export async function* mapInOrder<T, R, E>(
  items: AsyncGenerator<T, E, void>,
  work: (item: T) => R | Promise<R>,
  most: number,
): AsyncGenerator<R, E, void> {
  const underWay: Promise<R>[] = [];
  let end: (() => E) | undefined;
  try {
    for (;;) {
      while (end === undefined && underWay.length < most) {
        const step = await items.next().catch((error: unknown) => ({ error }));
        if ('error' in step) {
          end = () => {
            throw step.error;
          };
        } else if (step.done) end = () => step.value;
        else underWay.push(begin(work, step.value));
      }
      const first = underWay.shift();
      if (first !== undefined) yield await first;
      else if (end !== undefined) return end();
    }
  } finally {
    await items.return(undefined as E);
  }
}

async function begun<T, R>(work: (item: T) => R | Promise<R>, item: T): Promise<R> {
  return work(item);
}

function begin<T, R>(work: (item: T) => R | Promise<R>, item: T): Promise<R> {
  const result = begun(work, item);
  result.catch(() => {}); // it is told when its turn comes, if it does
  return result;
}
