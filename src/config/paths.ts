/** Dotted paths of keys and sections; the path of the root is ''. */

/** `a.b` and `c` → `a.b.c`; the path of the root is ''. */
export function joinPath(parent: string, name: string): string {
  return parent === '' ? name : `${parent}.${name}`;
}

/** `train.lr` → `lr`. */
export function lastName(path: string): string {
  return path.slice(path.lastIndexOf('.') + 1);
}

/** `model.encoder.layers` → `model.encoder`; `seed` → ''. */
export function parentPath(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('.')));
}

/** The value at a dotted path of a tree, or undefined. */
export function valueAt(tree: unknown, path: string): unknown {
  return path.split('.').reduce<unknown>((node, name) => (node as Record<string, unknown>)?.[name], tree);
}
