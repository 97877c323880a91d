import { isTree, type Layer, type Origin, type Tree } from './layer.js';
import { joinPath } from './paths.js';
import type { Source } from './yaml-source.js';

/** A config that a program gives, as a source; the place of a value is its path. Keys and values are not checked here. */
export function objectSource(object: object): Source {
  const origins = new Map<string, Origin>();
  const tree = copy(object as Tree, '', origins);
  return { layer: { tree, origins } satisfies Layer, complaints: [] };
}

/** A copy without keys of no value: `{ lr: undefined }` sets nothing. */
function copy(tree: Tree, parent: string, origins: Map<string, Origin>): Tree {
  const given = Object.entries(tree).filter(([, value]) => value !== undefined);
  return Object.fromEntries(
    given.map(([name, value]) => {
      const place = joinPath(parent, name);
      origins.set(place, { key: place, value: place });
      return [name, isTree(value) ? copy(value, place, origins) : value];
    }),
  );
}
