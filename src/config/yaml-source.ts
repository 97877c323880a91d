import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  type YAMLMap,
} from 'yaml';
import type { Complaint } from '../common/errors.js';
import { configSections } from './keys.js';
import { isTree, type Layer, type Origin } from './layer.js';
import { joinPath } from './paths.js';

/** More than any config needs; they stop files in which aliases multiply. */
const MAX_NODES = 10_000;
const MAX_DEPTH = 32;
const MAX_SYNTAX_COMPLAINTS = 10;

/** The keys of a file, and where to learn about them. */
const CONFIG = {
  names: configSections.get('')!.names,
  hint: 'See docs/config.md, or start from one of the files in configs/.',
};

/** What was read, and what is wrong with it. */
export interface Source {
  readonly layer: Layer;
  readonly complaints: readonly Complaint[];
}

/**
 * Reads the text of a config file (YAML 1.2, core schema) with the place of every key and value. Keys and
 * values are not checked here.
 *
 * @param name the file, for messages
 * @param expected what it should be, for the complaint about a file that is no map
 */
export function readYamlSource(text: string, name: string, expected = CONFIG): Source {
  const lines = new LineCounter();
  const document = parseDocument(text, { version: '1.2', lineCounter: lines, prettyErrors: false });
  const place = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${name}:${line}:${col}`;
  };
  const syntax = [...document.errors, ...document.warnings].map(({ code, message, pos }) => ({
    code,
    complaint: { where: place(pos[0]), ...explainSyntax(code, message, text.slice(pos[0])) },
  }));
  const complaints: Complaint[] = syntax.map(({ complaint }) => complaint).slice(0, MAX_SYNTAX_COMPLAINTS);
  if (syntax.some(({ code }) => code !== 'DUPLICATE_KEY')) return { layer: emptyLayer, complaints };
  const reader = new Reader(document, place);
  const tree = reader.read();
  if (reader.overflow !== undefined) {
    const problem = `expected at most ${MAX_NODES} values in at most ${MAX_DEPTH} levels, found more`;
    return { layer: emptyLayer, complaints: [{ problem, where: reader.overflow }] };
  }
  complaints.push(...reader.complaints);
  if (isTree(tree)) return { layer: { tree, origins: reader.origins }, complaints };
  return { layer: emptyLayer, complaints: [...complaints, notAMap(tree, name, expected)] };
}

const emptyLayer: Layer = { tree: {}, origins: new Map() };

/** Parses one value as YAML: a scalar or a flow collection. @throws Error with the complaint of the parser */
export function parseYamlValue(text: string): unknown {
  const document = parseDocument(text, { version: '1.2', prettyErrors: false });
  const [problem] = [...document.errors, ...document.warnings];
  if (problem !== undefined) throw new Error(problem.message);
  return document.toJS({ maxAliasCount: 0 });
}

/** Walks the nodes of a document into plain values and notes where each of them stands. */
class Reader {
  readonly origins = new Map<string, Origin>();
  readonly complaints: Complaint[] = [];
  /** Where the document got larger than any config. */
  overflow: string | undefined;
  private readonly document: Document.Parsed;
  private readonly place: (offset: number) => string;
  private nodes = 0;

  constructor(document: Document.Parsed, place: (offset: number) => string) {
    this.document = document;
    this.place = place;
  }

  read(): unknown {
    return this.value(this.document.contents, '', 0);
  }

  private value(node: unknown, path: string, depth: number): unknown {
    if (++this.nodes > MAX_NODES || depth > MAX_DEPTH) {
      this.overflow ??= this.placeOf(node);
      return null;
    }
    if (isAlias(node)) return this.alias(node, path, depth);
    if (isMap(node)) return this.map(node, path, depth);
    if (isSeq(node))
      return node.items.map((item, i) => this.value(item, joinPath(path, String(i)), depth + 1));
    const value = isScalar(node) ? node.value : null;
    // A section whose keys are all commented out.
    return value === null && path !== '' && configSections.has(path) ? {} : value;
  }

  private alias(node: Alias, path: string, depth: number): unknown {
    const target = node.resolve(this.document);
    if (target !== undefined) return this.value(target, path, depth + 1);
    this.complaints.push({ problem: `no anchor '&${node.source}' before this`, where: this.placeOf(node) });
    return null;
  }

  private map(node: YAMLMap, path: string, depth: number): unknown {
    const entries = node.items.map(({ key, value }): [string, unknown] => {
      const name = isScalar(key) ? String(key.value) : String(key);
      const place = joinPath(path, name);
      this.origins.set(place, { key: this.placeOf(key), value: this.placeOf(value ?? key) });
      return [name, this.value(value, place, depth + 1)];
    });
    return Object.fromEntries(entries);
  }

  private placeOf(node: unknown): string {
    return this.place((node as { range?: [number, number, number] } | null)?.range?.[0] ?? 0);
  }
}

function explainSyntax(code: string, message: string, found: string): Complaint {
  switch (code) {
    case 'DUPLICATE_KEY':
      return {
        problem: `'${/^[^:\n]*/.exec(found)}' is set twice in the same map`,
        hint: 'Keep one of the two.',
      };
    case 'TAB_AS_INDENT':
      return { problem: 'a tab indents this line', hint: 'YAML is indented with spaces.' };
    case 'MULTIPLE_DOCS':
      return {
        problem: 'expected one document, found a second one',
        hint: 'Give each config a file of its own.',
      };
    default:
      return { problem: `not valid YAML: ${message}` };
  }
}

function notAMap(value: unknown, where: string, { names, hint }: typeof CONFIG): Complaint {
  const found =
    value === null ? 'nothing' : Array.isArray(value) ? 'a list' : `'${String(value).slice(0, 40)}'`;
  return { problem: `expected a map with keys of ${names.join(', ')}; found ${found}`, where, hint };
}
