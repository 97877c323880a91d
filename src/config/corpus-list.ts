import { z } from 'zod';
import { camelizeKeys } from './camel.js';

/* `data.train` as a list: corpora that are mixed. What is wrong in an item is told by the words that stand here. */

const NAME = /^[A-Za-z0-9][\w.-]*$/;

const least = (fewest: number, expected: string) =>
  z.int(expected).min(fewest, expected).max(1_000_000_000, expected);

const corpusFilter = z.strictObject(
  {
    'min-length': least(0, 'an integer of at least 0').optional(),
    'max-length': least(1, 'an integer of at least 1').optional(),
    'max-ratio': z
      .number('a number of at least 1, or null')
      .min(1, 'a number of at least 1, or null')
      .nullable()
      .optional(),
    deduplicate: z.boolean('true or false').optional(),
  },
  'a map with keys of min-length, max-length, max-ratio, deduplicate',
);

const corpusSection = z.strictObject(
  {
    name: z
      .string('a name')
      .regex(NAME, 'a name of letters, digits, points, - and _')
      .optional()
      .describe('What the corpus is called; by default the last part of its path.'),
    path: z
      .string('a path')
      .min(1, 'a path')
      .describe('As data.train; with * or ?, all texts that fit, in the order of their names.'),
    weight: z
      .number('a number above 0')
      .positive('a number above 0')
      .max(1000, 'a number of at most 1000')
      .optional()
      .describe(
        'How often an epoch has each of its pairs; of what is left of a whole number, a part is drawn anew.',
      ),
    repeat: z
      .int('an integer of at least 1')
      .min(1, 'an integer of at least 1')
      .max(1000, 'an integer of at most 1000')
      .optional()
      .describe('How often an epoch has each of its pairs, in whole numbers.'),
    tag: z
      .string('a piece of the tokenizer')
      .min(1, 'a piece of the tokenizer')
      .optional()
      .describe(
        'A token that is put before each source sentence; a tokenizer that is trained here has it as a piece.',
      ),
    filter: corpusFilter.optional().describe('What is other than in data.filter.'),
  },
  'a path, or a map with keys of name, path, weight, repeat, tag, filter',
);

/** The items of `data.train` where it is a list. */
export const corpusList = z
  .array(z.union([z.string().min(1), corpusSection]))
  .min(1, 'at least one corpus')
  .describe('a list of corpora, each a path or a map with keys of name, path, weight, repeat, tag, filter');

type Written = z.output<typeof corpusList>[number];

/** A corpus as the code reads it. */
export interface CorpusConfig {
  readonly name: string;
  readonly path: string;
  /** How often an epoch has each of its pairs. */
  readonly weight: number;
  readonly tag: string | null;
  /** What is other than in `data.filter`. */
  readonly filter: {
    minLength?: number;
    maxLength?: number;
    maxRatio?: number | null;
    deduplicate?: boolean;
  };
}

/** The corpora of `data.train` where it is a list; undefined where it is one text, or none. */
export function corporaOf(train: string | readonly Written[] | null): CorpusConfig[] | undefined {
  if (train === null || typeof train === 'string') return undefined;
  return train.map((item) => {
    const corpus = typeof item === 'string' ? { path: item } : item;
    const { name, path, weight, repeat, tag, filter } = corpus as Exclude<Written, string>;
    return {
      name: name ?? nameOf(path),
      path,
      weight: weight ?? repeat ?? 1,
      tag: tag ?? null,
      filter: camelizeKeys(filter ?? {}),
    };
  });
}

/** The tags of all text, each once. */
export function tagsOf({
  train,
  validTag,
}: {
  train: Parameters<typeof corporaOf>[0];
  validTag: string | null;
}): string[] {
  const tags = [...(corporaOf(train) ?? []).map(({ tag }) => tag), validTag];
  return [...new Set(tags)].filter((tag) => tag !== null);
}

/** `data/news-*.tsv.gz` → `news`. */
function nameOf(path: string): string {
  const last = path.slice(path.lastIndexOf('/') + 1).replace(/\.tsv(\.gz)?$/, '');
  return last.replace(/[^\w.-]+/g, '').replace(/^[^A-Za-z0-9]+|[-_.]+$/g, '') || 'corpus';
}

/** What is wrong with a list beyond its items, by the place in it, in words. */
export function problemOfCorpora(train: Parameters<typeof corporaOf>[0]): string | undefined {
  if (train === null || typeof train === 'string') return undefined;
  const both = train.findIndex(
    (item) => typeof item !== 'string' && item.weight !== undefined && item.repeat !== undefined,
  );
  if (both !== -1) return `data.train.${both}: expected weight or repeat, found both`;
  const names = corporaOf(train)!.map(({ name }) => name);
  const again = names.findIndex((name, i) => names.indexOf(name) !== i);
  if (again === -1) return undefined;
  return `data.train: expected corpora of different names, found '${names[again]}' for ${names.indexOf(names[again])} and ${again} (counted from 0)`;
}
