/** Strings with a number each, found by their beginnings: one node for each UTF-16 unit of a path. */
export class PieceTrie {
  private readonly children = new Map<number, number>();
  private readonly values: number[] = [-1];

  add(piece: string, value: number): void {
    let node = 0;
    for (let i = 0; i < piece.length; i++) {
      const key = node * 0x10000 + piece.charCodeAt(i);
      let child = this.children.get(key);
      if (child === undefined) {
        child = this.values.push(-1) - 1;
        this.children.set(key, child);
      }
      node = child;
    }
    this.values[node] = value;
  }

  /** The node below `node` (0 is the root) by one unit; −1 where there is none. */
  child(node: number, unit: number): number {
    return this.children.get(node * 0x10000 + unit) ?? -1;
  }

  /** The number of the string that ends at a node; −1 where none does. */
  valueAt(node: number): number {
    return this.values[node];
  }

  /** Length of the longest string that `text` has at `start`; 0 where there is none. */
  longest(text: string, start: number): number {
    let [node, length] = [0, 0];
    for (let i = start; i < text.length; i++) {
      node = this.child(node, text.charCodeAt(i));
      if (node < 0) break;
      if (this.values[node] >= 0) length = i + 1 - start;
    }
    return length;
  }
}
