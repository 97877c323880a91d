import { homedir } from 'node:os';
import { configKeys } from './keys.js';
import { isTree, type Tree } from './layer.js';
import { joinPath } from './paths.js';

/** A path with the home directory in place of a leading `~`, which the shell puts there and nobody within a file. */
export function fromHome(place: string): string {
  return /^~(\/|$)/.test(place) ? homedir() + place.slice(1) : place;
}

/** A copy of the tree of a layer with `fromHome` of every path in it. */
export function expandHome(tree: Tree, parent = ''): Tree {
  return Object.fromEntries(
    Object.entries(tree).map(([name, value]) => {
      const place = joinPath(parent, name);
      if (isTree(value)) return [name, expandHome(value, place)];
      const kind = configKeys.get(place)?.kind;
      if (kind === 'path' && typeof value === 'string') return [name, fromHome(value)];
      return [name, kind === 'paths' ? (value as string[]).map(fromHome) : value];
    }),
  );
}
