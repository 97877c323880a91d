import type { FilterOptions } from './filters.js';
import type { CurrentInput, Manifest } from './manifest.js';
import { filesOf, type ParallelText } from './parallel-text.js';

/** A corpus of several that are trained on. */
export interface CorpusText {
  readonly name: string;
  /** One after another. */
  readonly texts: readonly ParallelText[];
  readonly filter: FilterOptions;
  /** A piece that is put before each source sentence. */
  readonly tag: string | null;
}

/** The text of a dataset. */
export interface DatasetTexts {
  /** One text, or several corpora. */
  readonly train: ParallelText | readonly CorpusText[];
  readonly valid?: ParallelText;
  readonly test?: ParallelText;
  /** A piece that is put before each source sentence of validation and test text. */
  readonly validTag?: string | null;
}

/** What a split of a dataset is made from. */
export interface TextPart {
  /** What its files are named after: `train`, `train1`, `valid`, … */
  readonly split: string;
  /** What it is called in messages and in the inputs of the manifest. */
  readonly role: string;
  readonly texts: readonly ParallelText[];
  /** None where every pair is kept. */
  readonly filter?: FilterOptions;
  readonly tag: string | null;
  /** Of a corpus of several. */
  readonly name?: string;
}

/**
 * The splits of a dataset, those of training first. Corpora become `train`, `train1`, `train2`, …, which the official
 * code reads together.
 */
export function partsOf(
  { train, valid, test, validTag = null }: DatasetTexts,
  filter?: FilterOptions,
): TextPart[] {
  const corpora: TextPart[] = isList(train)
    ? train.map((corpus, i) => ({ ...corpus, split: shardName(i), role: `train/${corpus.name}` }))
    : [{ split: 'train', role: 'train', texts: [train], filter, tag: null }];
  const others = Object.entries({ valid, test }).flatMap(([split, text]) =>
    text === undefined ? [] : [{ split, role: split, texts: [text], tag: validTag }],
  );
  return [...corpora, ...others];
}

/** The name of the split of a corpus. @param number from 0 */
export function shardName(number: number): string {
  return number === 0 ? 'train' : `train${number}`;
}

function isList<T>(value: ParallelText | readonly T[]): value is readonly T[] {
  return Array.isArray(value);
}

/** The role that alignments of a text have, behind that of the text. */
const LINKS_ROLE = '.links';

/**
 * The files of a part, with their roles: `train.de`, `valid`, `train/news.de`, `train/news.2.de`, `train.links`.
 *
 * @param linked whether those of alignments are wanted
 */
export function inputsOfPart(
  { role, texts }: TextPart,
  languages: readonly [source: string, target: string],
  linked = true,
): CurrentInput[] {
  return texts.flatMap((text, number) => {
    const stem = number === 0 ? role : `${role}.${number + 1}`;
    const sides = filesOf(text).map((file, i) => ({
      role: text.kind === 'tsv' ? stem : `${stem}.${languages[i]}`,
      path: file,
    }));
    const { links } = text;
    return links === undefined || !linked ? sides : [...sides, { role: stem + LINKS_ROLE, path: links }];
  });
}

/** Whether a part has alignments: then all of its texts have. */
export const isLinked = ({ texts }: TextPart): boolean => texts.some(({ links }) => links !== undefined);

/** The files that a dataset depends on, with their part in it. */
export function inputsOf(
  texts: DatasetTexts,
  languages: readonly [source: string, target: string],
  vocabulary: readonly CurrentInput[] = [],
): CurrentInput[] {
  return [...partsOf(texts).flatMap((part) => inputsOfPart(part, languages)), ...vocabulary];
}

/** Pairs of a part, where its files were read before. @param digests by role */
export function linesOf(
  part: TextPart,
  languages: readonly [source: string, target: string],
  digests: ReadonlyMap<string, { readonly lines: number }>,
): number | undefined {
  const firsts = new Set(part.texts.map((text) => filesOf(text)[0]));
  const found = inputsOfPart(part, languages)
    .filter(({ path }) => firsts.has(path))
    .map(({ role }) => digests.get(role)?.lines);
  return found.includes(undefined) ? undefined : found.reduce<number>((sum, lines) => sum + lines!, 0);
}

/** What the manifest says of corpora. @param training the parts that are trained on */
export function describeCorpora(training: readonly TextPart[]): Pick<Manifest, 'corpora'> {
  const corpora = training.flatMap(({ split, name, tag, filter }) =>
    name === undefined ? [] : [{ name, split, tag, filter: filter! }],
  );
  return corpora.length === 0 ? {} : { corpora };
}
