import { z } from 'zod';
import { type KeyFacts, keyFacts } from './key-facts.js';
import { joinPath } from './paths.js';
import { configSchema } from './schema.js';

type Kind =
  | 'boolean'
  | 'integer'
  | 'number'
  | 'text'
  | 'path'
  | 'name'
  | 'choice'
  | 'list'
  | 'texts'
  | 'paths';

/** A leaf of the config, as help texts, flags and error messages need it. */
export interface ConfigKey {
  /** Dotted path: `train.lr`. */
  readonly path: string;
  readonly kind: Kind;
  /** What it means. */
  readonly text: string;
  readonly fallback: unknown;
  readonly nullable: boolean;
  readonly choices: readonly string[];
  /** Words that may stand in place of a value of this kind: `auto`. */
  readonly words?: readonly string[];
  /** Whether a list may stand in its place. */
  readonly mayBeList?: boolean;
  /** What a value must be, in words: `an integer of at least 1`. */
  readonly expected: string;
}

/** An inner node of the config; the path of the root is ''. */
export interface ConfigSection {
  readonly path: string;
  readonly text: string;
  /** Names of its keys and sections. */
  readonly names: readonly string[];
}

/** The parts of JSON Schema that zod writes for our schema. */
interface JsonSchema {
  type?: string;
  description?: string;
  default?: unknown;
  properties?: Record<string, JsonSchema>;
  anyOf?: JsonSchema[];
  enum?: string[];
  const?: string;
  prefixItems?: JsonSchema[];
  items?: JsonSchema;
  pattern?: string;
  format?: string;
  minLength?: number;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  /** Ours, of a key. */
  facts?: KeyFacts;
}

const keys = new Map<string, ConfigKey & KeyFacts>();
const sections = new Map<string, ConfigSection>();
collect(schemaWithFacts(), '');

/** Every key of the config with its facts, in the order of the schema, by dotted path. */
export const configKeys: ReadonlyMap<string, ConfigKey & KeyFacts> = keys;

/** Every section of the config, by dotted path, the root ('') included. */
export const configSections: ReadonlyMap<string, ConfigSection> = sections;

/** The JSON Schema of a config file, for editors. */
export function configJsonSchema(): object {
  return z.toJSONSchema(configSchema, { io: 'input' });
}

function schemaWithFacts(): JsonSchema {
  return z.toJSONSchema(configSchema, {
    io: 'input',
    override: ({ zodSchema, jsonSchema }) => {
      Object.assign(jsonSchema, { facts: keyFacts.get(zodSchema) });
    },
  }) as JsonSchema;
}

function collect(node: JsonSchema, path: string): void {
  if (node.properties === undefined) {
    keys.set(path, describeKey(node, path));
    return;
  }
  sections.set(path, { path, text: node.description ?? '', names: Object.keys(node.properties) });
  for (const [name, child] of Object.entries(node.properties)) collect(child, joinPath(path, name));
}

function describeKey(node: JsonSchema, path: string): ConfigKey & KeyFacts {
  const branches = (node.anyOf ?? [node]).flatMap((branch) => branch.anyOf ?? [branch]);
  const nullable = branches.some(({ type }) => type === 'null');
  const words = branches.flatMap((branch) => branch.const ?? []);
  const type = branches.find((branch) => branch.type !== 'null' && branch.const === undefined)!;
  const lists = branches.flatMap(({ type: other, description = '' }) =>
    other === 'array' && type.type !== 'array' ? [description] : [],
  );
  const others = [...words, ...lists, ...(nullable ? ['null'] : [])];
  return {
    path,
    kind: kindOf(type),
    text: node.description ?? '',
    fallback: node.default,
    nullable,
    choices: type.enum ?? [],
    ...(words.length > 0 && { words }),
    ...(lists.length > 0 && { mayBeList: true }),
    expected: [expectation(type), ...others].join(', or '),
    ...node.facts!,
  };
}

function kindOf(node: JsonSchema): Kind {
  if (node.enum !== undefined) return 'choice';
  if (node.type === 'boolean' || node.type === 'integer' || node.type === 'number') return node.type;
  if (node.type === 'array' && node.items?.type !== 'string') return 'list';
  if (node.type === 'array') return node.items!.format === 'path' ? 'paths' : 'texts';
  if (node.format === 'path') return 'path';
  return node.pattern === undefined ? 'text' : 'name';
}

function expectation(node: JsonSchema): string {
  switch (kindOf(node)) {
    case 'choice':
      return `one of ${node.enum!.join(', ')}`;
    case 'boolean':
      return 'true or false';
    case 'integer':
      return `an integer${bounds(node)}`;
    case 'number':
      return `a number${bounds(node)}`;
    case 'list':
      return node.prefixItems === undefined
        ? `a list, each ${expectation(node.items!)}`
        : `a list of ${node.prefixItems.length}, each ${expectation(node.prefixItems[0])}`;
    case 'texts':
    case 'paths':
      return `a list, each ${expectation(node.items!)}`;
    case 'name':
      return `a name that matches ${node.pattern}`;
    case 'path':
      return node.minLength ? 'a path' : 'a path, or an empty text';
    case 'text':
      return !node.minLength ? 'text' : 'text that is not empty';
  }
}

function bounds({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }: JsonSchema): string {
  const parts = [
    minimum === undefined || minimum <= Number.MIN_SAFE_INTEGER ? '' : `of at least ${minimum}`,
    exclusiveMinimum === undefined ? '' : `above ${exclusiveMinimum}`,
    maximum === undefined || maximum >= Number.MAX_SAFE_INTEGER ? '' : `of at most ${maximum}`,
    exclusiveMaximum === undefined ? '' : `below ${exclusiveMaximum}`,
  ].filter((part) => part !== '');
  return parts.length === 0 ? '' : ` ${parts.join(' and ')}`;
}
