import { existsSync } from 'node:fs';
import { type Complaint, UserError } from '../common/errors.js';
import { fromHome } from './home.js';
import { type ConfigKey, configKeys, configSections } from './keys.js';
import { type Layer, treeOf } from './layer.js';
import { unknownKey } from './validate.js';
import { parseYamlValue, type Source } from './yaml-source.js';

/** One setting of the command line. */
export interface Override {
  /** Dotted path. */
  readonly path: string;
  /** The value as it was typed. */
  readonly value: string;
  /** How it was typed, for messages: `--lr 0.001`. */
  readonly where: string;
}

/** What the command line sets: what a flag was given, or the text of `--set`. */
export type Setting = Override | string;

/** Reads `a.b=c` (`--set`). @throws UserError where it has not that form */
export function parseSet(text: string): Override {
  const equals = text.indexOf('=');
  const [path, value] = [text.slice(0, equals).trim(), text.slice(equals + 1).trim()];
  const where = `--set ${text}`;
  if (equals <= 0 || value === '') {
    throw new UserError({
      problem: `expected KEY=VALUE, found '${text}'`,
      where: '--set',
      hint: 'For example --set model.encoder.layers=18; null unsets a key that may be null.',
    });
  }
  return { path, value, where };
}

/** The setting as a layer of its own; its value is not checked against the schema here. */
export function overrideSource({ path, value, where }: Override): Source {
  const key = configKeys.get(path);
  if (key === undefined && !configSections.has(path)) return failed(unknownKey(path, where));
  try {
    const parsed = key === undefined ? parseYamlValue(value) : parseForKey(value, key);
    return { layer: layerOf(path, parsed, where), complaints: [] };
  } catch (error) {
    return failed({ problem: `expected ${key?.expected ?? 'a map'}: ${(error as Error).message}`, where });
  }
}

function layerOf(path: string, value: unknown, where: string): Layer {
  return { tree: treeOf(path, value), origins: new Map([[path, { key: where, value: where }]]) };
}

function failed(complaint: Complaint): Source {
  return { layer: { tree: {}, origins: new Map() }, complaints: [complaint] };
}

/** Text stays as it was typed, so that `--save-dir 2024` and `-s no` need no quotes; the rest is YAML. */
function parseForKey(value: string, key: ConfigKey): unknown {
  const isText = ['text', 'path', 'name', 'choice'].includes(key.kind);
  if (isText && !/^["']/.test(value)) {
    if (key.nullable && value === 'null') return null;
    if (key.mayBeList && /^\[.*\]$/.test(value)) return parseYamlValue(value);
    const hyphened = value.replaceAll('_', '-'); // fairseq's inverse_sqrt
    return !key.choices.includes(value) && key.choices.includes(hyphened) ? hyphened : value;
  }
  if (key.kind === 'texts') return splitList(value);
  if (key.kind === 'paths') return splitPaths(value);
  // fairseq's --adam-betas '(0.9, 0.98)'
  if (key.kind === 'list') return parseYamlValue(value.replace(/^[([]?(.*?)[)\]]?$/, '[$1]'));
  return parseYamlValue(value);
}

/** `a,b` or `[a, b]`, each in quotes or not, in which a comma is one; not YAML, in which `*` has a meaning of its own. */
function splitList(value: string): string[] {
  const items = value.replace(/^\[(.*)\]$/, '$1').match(/ *("[^"]*"|'[^']*') *(?=,|$)|[^,]+/g) ?? [];
  return items
    .map((item) => item.trim())
    .filter((item) => item !== '')
    .map((item) => item.replace(/^(["'])(.*)\1$/, '$2'));
}

/** As splitList. A path that is there with commas in its name, as those of a sweep have, is one: the longest that is. */
function splitPaths(value: string): string[] {
  const items = splitList(value);
  const isThere = (place: string): boolean => existsSync(fromHome(place));
  if (items.every(isThere)) return items;
  const paths: string[] = [];
  for (let start = 0; start < items.length; ) {
    let end = items.length;
    while (end > start + 1 && !isThere(items.slice(start, end).join(','))) end--;
    paths.push(items.slice(start, end).join(','));
    start = end;
  }
  return paths;
}
