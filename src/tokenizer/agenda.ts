/** A merge to be made: the piece that begins at symbol `left` and takes in the symbol `right`. */
export interface Merge {
  left: number;
  right: number;
  /** Length of the merged piece in UTF-16 units: the merge is stale where the two have another one by now. */
  length: number;
}

/** A left index is below this. */
const LEFT_RANGE = 2 ** 31;

/** Merges by falling score of their piece, then from left to right: a binary heap. */
export class Agenda {
  private readonly keys: number[] = [];
  private readonly rights: number[] = [];
  private readonly lengths: number[] = [];

  get size(): number {
    return this.keys.length;
  }

  /** @param rank the place of the piece's score among all scores, 0 is the best; below 2^21 */
  push(rank: number, left: number, right: number, length: number): void {
    const key = rank * LEFT_RANGE + left;
    const { keys, rights, lengths } = this;
    let place = keys.length;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (keys[parent] <= key) break;
      this.move(parent, place);
      place = parent;
    }
    [keys[place], rights[place], lengths[place]] = [key, right, length];
  }

  /** Takes the first merge out. The agenda must not be empty. */
  pop(): Merge {
    const { keys, rights, lengths } = this;
    const merge = { left: keys[0] % LEFT_RANGE, right: rights[0], length: lengths[0] };
    const [key, right, length] = [keys.pop()!, rights.pop()!, lengths.pop()!];
    const size = keys.length;
    if (size === 0) return merge;
    let place = 0;
    for (let child = 1; child < size; child = 2 * place + 1) {
      if (child + 1 < size && keys[child + 1] < keys[child]) child++;
      if (keys[child] >= key) break;
      this.move(child, place);
      place = child;
    }
    [keys[place], rights[place], lengths[place]] = [key, right, length];
    return merge;
  }

  private move(from: number, to: number): void {
    this.keys[to] = this.keys[from];
    this.rights[to] = this.rights[from];
    this.lengths[to] = this.lengths[from];
  }
}
