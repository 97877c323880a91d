/** Where a value was set, for messages. */
export interface Origin {
  /** Place of the key: `file:line:column`, or the flag as it was typed. */
  readonly key: string;
  /** Place of the value. */
  readonly value: string;
}

/** A plain map of a config that is not yet checked. */
export interface Tree {
  [name: string]: unknown;
}

/** One source of settings (a preset, a file, a flag) with the place of each of them, by dotted path. */
export interface Layer {
  readonly tree: Tree;
  readonly origins: ReadonlyMap<string, Origin>;
}

/** Whether a value is a map of settings and no list or leaf. */
export function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Lays one tree over another: maps are merged key by key, everything else is replaced. Copies. */
export function mergeTrees(below: Tree, above: Tree): Tree {
  const merged = new Map(Object.entries(below));
  for (const [name, value] of Object.entries(above)) {
    const under = merged.get(name);
    merged.set(name, isTree(value) && isTree(under) ? mergeTrees(under, value) : value);
  }
  return Object.fromEntries(merged);
}

/** A copy of a tree without some keys of the map at `path`. */
export function withoutKeys(
  tree: Tree,
  [name, ...rest]: readonly PropertyKey[],
  keys: ReadonlySet<string>,
): Tree {
  return Object.fromEntries(
    Object.entries(tree).flatMap(([key, value]) => {
      if (name === undefined) return keys.has(key) ? [] : [[key, value]];
      return [[key, key === String(name) && isTree(value) ? withoutKeys(value, rest, keys) : value]];
    }),
  );
}

/** A tree with one value at a dotted path. */
export function treeOf(path: string, value: unknown): Tree {
  return path.split('.').reduceRight<unknown>((node, name) => ({ [name]: node }), value) as Tree;
}
