import {
  type Alias,
  CST,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  type Node,
  parseDocument,
  visit,
  type YAMLMap,
} from 'yaml';
import type { Complaint } from '../common/errors.js';
import { configSections } from './keys.js';
import { isTree, type Layer, type Origin } from './layer.js';
import { joinPath } from './paths.js';

/** More than any config needs; they stop files in which aliases multiply. */
const MAX_NODES = 10_000;
const MAX_DEPTH = 32;
const LONGEST_KEY = 1000;
/** Keys, values and aliases; only the lexer sees more of them, or of all tokens: some ten a value, comments included. */
const MAX_WORDS = 2 * MAX_NODES;
const MAX_TOKENS = 10 * MAX_NODES;
const WORDS = new Set<string | null>(['scalar', 'single-quoted-scalar', 'double-quoted-scalar', 'alias']);
const MAX_COMPLAINTS = 10;
const TOO_LARGE = `expected at most ${MAX_NODES} values in at most ${MAX_DEPTH} levels, with keys of at most ${LONGEST_KEY} characters; found more`;

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
  const document = parse(text, lines);
  if (document === undefined) return { layer: emptyLayer, complaints: [{ problem: TOO_LARGE, where: name }] };
  const place = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${name}:${line}:${col}`;
  };
  const complaints: Complaint[] = [...document.errors, ...document.warnings]
    .slice(0, MAX_COMPLAINTS)
    .map(({ code, message, pos }) => ({ where: place(pos[0]), ...explainSyntax(code, message) }));
  if (complaints.length > 0) return { layer: emptyLayer, complaints };
  const reader = new Reader(document, place);
  const tree = reader.read();
  if (reader.overflow !== undefined) {
    return { layer: emptyLayer, complaints: [{ problem: TOO_LARGE, where: reader.overflow }] };
  }
  complaints.push(...reader.complaints.slice(0, MAX_COMPLAINTS));
  if (isTree(tree)) return { layer: { tree, origins: reader.origins }, complaints };
  return { layer: emptyLayer, complaints: [...complaints, notAMap(tree, name, expected)] };
}

const emptyLayer: Layer = { tree: {}, origins: new Map() };

/** Parses one value as YAML: a scalar or a flow collection. @throws Error with the complaint of the parser */
export function parseYamlValue(text: string): unknown {
  const document = parse(text);
  if (document === undefined) throw new Error(TOO_LARGE);
  const [unparsed] = [...document.errors, ...document.warnings];
  if (unparsed !== undefined) throw new Error(unparsed.message);
  const reader = new Reader(document, () => '');
  const value = reader.read();
  if (reader.overflow !== undefined) throw new Error(TOO_LARGE);
  const [complaint] = reader.complaints;
  if (complaint !== undefined) throw new Error(complaint.problem);
  return value;
}

/**
 * Parses YAML, after a look at how much of it there is: what the parser does for nested, repeated or countless things
 * grows faster than the text. That keys differ is checked by the reader, for the same reason.
 *
 * @returns undefined for what is larger than any config
 */
function parse(text: string, lineCounter?: LineCounter): Document.Parsed | undefined {
  let [tokens, words, brackets, marks] = [0, 0, 0, 0];
  for (const token of new Lexer().lex(text)) {
    tokens++;
    if (WORDS.has(CST.tokenType(token))) words++;
    else if (token === '[' || token === '{') brackets++;
    else if (token === ']' || token === '}') brackets--;
    else if (token === '-' || token === '?') marks++;
    else if (token.endsWith('\n')) marks = 0; // those of a line are within each other
    if (tokens > MAX_TOKENS || words > MAX_WORDS || brackets + marks > MAX_DEPTH) return undefined;
  }
  return parseDocument(text, { version: '1.2', lineCounter, prettyErrors: false, uniqueKeys: false });
}

/** Walks the nodes of a document into plain values and notes where each of them stands. */
class Reader {
  readonly origins = new Map<string, Origin>();
  readonly complaints: Complaint[] = [];
  /** Where the document got larger than any config. */
  overflow: string | undefined;
  private readonly contents: unknown;
  private readonly place: (offset: number) => string;
  private readonly targets: ReadonlyMap<Alias, Node>;
  private nodes = 0;

  constructor(document: Document.Parsed, place: (offset: number) => string) {
    this.contents = document.contents;
    this.place = place;
    this.targets = targetsOf(document);
  }

  read(): unknown {
    return this.value(this.contents, '', 0);
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
    const target = this.targets.get(node);
    if (target !== undefined) return this.value(target, path, depth + 1);
    this.complaints.push({ problem: `no anchor '&${node.source}' before this`, where: this.placeOf(node) });
    return null;
  }

  private map(node: YAMLMap, path: string, depth: number): unknown {
    const seen = new Set<string>();
    const entries = node.items.map(({ key, value }): [string, unknown] => {
      const name = isScalar(key) ? String(key.value) : String(key);
      if (name.length > LONGEST_KEY) this.overflow ??= this.placeOf(key);
      if (seen.has(name)) this.complaints.push(setTwice(name, this.placeOf(key)));
      seen.add(name);
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

/** What each alias stands for: the last node before it with its anchor. */
function targetsOf(document: Document.Parsed): Map<Alias, Node> {
  const anchors = new Map<string, Node>();
  const targets = new Map<Alias, Node>();
  visit(document, {
    Alias(_, node) {
      const target = anchors.get(node.source);
      if (target !== undefined) targets.set(node, target);
    },
    Value(_, node) {
      if (node.anchor !== undefined) anchors.set(node.anchor, node);
    },
  });
  return targets;
}

const setTwice = (name: string, where: string): Complaint => ({
  problem: `'${name.slice(0, 60)}' is set twice in the same map`,
  where,
  hint: 'Keep one of the two.',
});

function explainSyntax(code: string, message: string): Complaint {
  switch (code) {
    case 'TAB_AS_INDENT':
      return { problem: 'a tab indents this line', hint: 'YAML is indented with spaces.' };
    case 'MULTIPLE_DOCS':
      return {
        problem: 'expected one document, found a second one',
        hint: 'Give each config a file of its own.',
      };
    default:
      return { problem: `not valid YAML: ${message.slice(0, 200)}` };
  }
}

function notAMap(value: unknown, where: string, { names, hint }: typeof CONFIG): Complaint {
  const found =
    value === null ? 'nothing' : Array.isArray(value) ? 'a list' : `'${String(value).slice(0, 40)}'`;
  return { problem: `expected a map with keys of ${names.join(', ')}; found ${found}`, where, hint };
}
