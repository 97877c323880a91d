import type { z } from 'zod';
import { type Complaint, nearest } from '../common/errors.js';
import { configKeys, configSections } from './keys.js';
import { type Layer, withoutKeys } from './layer.js';
import { adviceFor, oursFor, unitNote } from './other-names.js';
import { joinPath, lastName, parentPath, valueAt } from './paths.js';
import { configSchema } from './schema.js';
import { isForShell } from './values.js';

/** Of a file with more unknown keys in one map, the first ones say enough. */
export const MAX_COMPLAINTS = 100;

/** A layer without what was wrong in it. */
export interface ValidatedLayer {
  readonly layer: Layer;
  readonly complaints: readonly Complaint[];
  /** Dotted paths of what was taken out. */
  readonly refused: readonly string[];
}

/**
 * Checks one layer against the schema. Every key has a default, so that a layer can be checked by itself; what
 * every layer may hold, their merger may hold.
 */
export function validateLayer(layer: Layer): ValidatedLayer {
  const issues = configSchema.safeParse(layer.tree).error?.issues ?? [];
  const complaints = new Map<string, Complaint>();
  let { tree } = layer;
  for (const issue of issues) {
    const leaf = leafPath(issue.path);
    const unknown = issue.code === 'unrecognized_keys' && leaf.length === issue.path.length;
    const [parent, names] = unknown ? [issue.path, issue.keys] : [leaf.slice(0, -1), [String(leaf.at(-1))]];
    tree = withoutKeys(tree, parent, new Set(names));
    for (const name of names.slice(0, MAX_COMPLAINTS)) {
      const path = [...parent, name].join('.');
      // One for all items of a list.
      if (!complaints.has(path))
        complaints.set(path, unknown ? complainOfKey(layer, path) : complainOfIssue(layer, path, issue));
    }
  }
  // In the order of the file; zod goes by the order of the schema.
  const places = new Map([...layer.origins.keys()].map((path, i) => [path, i]));
  const placeOf = (path: string): number => places.get(path) ?? -1;
  const refused = [...complaints.keys()].sort((a, b) => placeOf(a) - placeOf(b));
  return { layer: { ...layer, tree }, complaints: refused.map((path) => complaints.get(path)!), refused };
}

/** The path of the key that an issue belongs to: an item of a list counts for the list. */
function leafPath(path: readonly PropertyKey[]): readonly PropertyKey[] {
  const end = path.findIndex((_, i) => configKeys.has(path.slice(0, i + 1).join('.')));
  return end === -1 ? path : path.slice(0, end + 1);
}

function complainOfKey({ origins }: Layer, path: string): Complaint {
  return unknownKey(path, origins.get(path)?.key ?? originOf(origins, path));
}

/** As complainOfValue; of a list that may stand in place of one value, it names the item that is wrong. */
function complainOfIssue(layer: Layer, path: string, issue: z.core.$ZodIssue): Complaint {
  if (!configKeys.get(path)?.mayBeList || !Array.isArray(valueAt(layer.tree, path)))
    return complainOfValue(layer, path);
  const inner = innermost(issue);
  const unknown = inner.code === 'unrecognized_keys' ? [inner.keys[0]] : [];
  const place = [...inner.path, ...unknown].join('.');
  const where = originOf(layer.origins, place);
  if (unknown.length > 0) return { problem: `unknown key '${shorten(place)}'`, where };
  return {
    problem: `${place}: expected ${inner.message}; found ${describeValue(valueAt(layer.tree, place))}`,
    where,
  };
}

/** The issue that lies deepest in what may be one thing or another, with its path from the root. */
function innermost(issue: z.core.$ZodIssue): z.core.$ZodIssue {
  if (issue.code !== 'invalid_union') return issue;
  const found = issue.errors
    .flat()
    .map((error) => innermost({ ...error, path: [...issue.path, ...error.path] }));
  return found.sort((a, b) => b.path.length - a.path.length)[0] ?? issue;
}

function complainOfValue({ tree, origins }: Layer, path: string): Complaint {
  const value = valueAt(tree, path);
  const key = configKeys.get(path);
  const section = configSections.get(path);
  const expected = key?.expected ?? `a map with keys of ${section?.names.join(', ')}`;
  return {
    problem: `${path}: expected ${expected}; found ${describeValue(value)}`,
    where: originOf(origins, path),
    hint: hintForValue(value, key?.kind, key?.choices ?? []),
  };
}

function hintForValue(
  value: unknown,
  kind: string | undefined,
  choices: readonly string[],
): string | undefined {
  if (kind === 'choice') {
    const meant = nearest(String(value), choices);
    return meant === undefined ? undefined : `Did you mean '${meant}'?`;
  }
  if ((kind === 'number' || kind === 'integer') && /^-?\d+,\d+$/.test(String(value)))
    return `Decimals are written with a point: ${String(value).replace(',', '.')}`;
  if (kind === 'path' && isForShell(String(value)))
    return `Only a leading ~/ is filled in here: write the path out, or ./${value} for a folder that is called so.`;
  if ((kind === 'text' || kind === 'path') && typeof value === 'number')
    return `Write it in quotes: '${value}'`;
  return undefined;
}

/** A complaint about a key that does not exist, with the nearest that does. */
export function unknownKey(path: string, where: string | undefined): Complaint {
  const [parent, name] = [parentPath(path), lastName(path)];
  const siblings = configSections.get(parent)?.names ?? [];
  return { problem: `unknown key '${shorten(path)}'`, where, hint: suggestKey(path, parent, name, siblings) };
}

function suggestKey(path: string, parent: string, name: string, siblings: readonly string[]): string {
  if (configKeys.has(path)) return `Write it as a map, '${name}' within '${parent}'; dots are for --set.`;
  const ours = oursFor(name).filter((key) => !key.startsWith('-'));
  if (ours.length > 0) return `Here it is '${ours.join("' or '")}'${unitNote(ours)}.`;
  const advice = adviceFor(name);
  if (advice !== undefined) return advice;
  const sibling = pathsNamed(name).length > 0 ? undefined : nearest(name, siblings);
  const meant = sibling === undefined ? pathsNear(name, parent) : [joinPath(parent, sibling)];
  if (meant.length > 0) return `Did you mean '${meant.join("' or '")}'?`;
  return siblings.length > 0
    ? `The keys here are ${siblings.join(', ')}.`
    : 'admin-nmt config explain lists every key.';
}

/** Every key and section with a last name. */
export function pathsNamed(name: string): string[] {
  return [...configKeys.keys(), ...configSections.keys()].filter((path) => lastName(path) === name);
}

/** Keys of this last name anywhere; of a similar one where the name stands in no section. */
function pathsNear(name: string, parent: string): string[] {
  const same = pathsNamed(name);
  if (same.length > 0 || (parent !== '' && configSections.has(parent))) return same;
  return pathsNamed(nearest(name, [...configKeys.keys()].map(lastName)) ?? name);
}

/** The place where a path, or the nearest node above it, was set. */
function originOf(origins: Layer['origins'], path: string): string | undefined {
  for (let at = path; at !== ''; at = parentPath(at)) {
    const origin = origins.get(at);
    if (origin !== undefined) return origin.value;
  }
  return undefined;
}

/** A value as messages show it. */
export function describeValue(value: unknown): string {
  if (value === null) return 'null';
  if (typeof value === 'string') return `'${shorten(value)}'`;
  if (typeof value === 'number') return String(value);
  return shorten(JSON.stringify(value) ?? String(value));
}

function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
