import { statSync } from 'node:fs';
import * as path from 'node:path';
import { canonicalHash } from '../common/canonical-hash.js';
import { UserError } from '../common/errors.js';
import { sha256, sha256File } from '../common/files.js';
import { IdList } from '../common/id-list.js';
import type { CleanOptions } from './clean.js';
import { Dictionary } from './dictionary.js';
import { countDrops } from './filters.js';
import { IndexedDataset } from './indexed-dataset.js';
import { linksStem } from './indexed-format.js';
import { type CurrentInput, hasManifest, type Manifest, readManifest } from './manifest.js';
import type { FileDigest } from './pair-bytes.js';
import type { EncodedPairs } from './pair-encoder.js';
import { filesOf } from './parallel-text.js';
import type { StoredPieceModel } from './preprocess-options.js';
import type { SymbolTable } from './symbol-table.js';
import type { TextPart } from './text-parts.js';
import { verifyFiles } from './verified.js';

/** Pairs that are handed over at a time. */
const BLOCK = 4096;

/** Names everything that the ids of a part depend on, but for how pieces are numbered. @param digests of its files, in their order */
export function keyOfPart(
  { texts, filter, tag }: TextPart,
  digests: readonly FileDigest[],
  { clean, models }: { clean: CleanOptions; models: readonly StoredPieceModel[] },
): string {
  let at = 0;
  const content = texts.map((text) =>
    [...filesOf(text), ...(text.links === undefined ? [] : ['links'])].map(() => digests[at++].sha256),
  );
  const tokenizers = models.map((model) => sha256(model.serialize()));
  return canonicalHash({ content, filter: filter ?? null, tag, clean, tokenizers });
}

/** The dataset that is to be replaced: of parts that are in it already the ids are taken over, and nothing is encoded. */
export class EarlierDataset {
  private readonly folder: string;
  private readonly manifest: Manifest & { encoding: NonNullable<Manifest['encoding']> };

  private constructor(folder: string, manifest: EarlierDataset['manifest']) {
    this.folder = folder;
    this.manifest = manifest;
  }

  /** @returns undefined where there is none of these languages, or it cannot be said how it was made */
  static find(
    folder: string,
    languages: readonly [source: string, target: string],
  ): EarlierDataset | undefined {
    try {
      const manifest = hasManifest(folder) ? readManifest(folder) : undefined;
      const { source, target } = manifest?.languages ?? {};
      if (manifest?.encoding === undefined || source !== languages[0] || target !== languages[1])
        return undefined;
      return new EarlierDataset(folder, { ...manifest, encoding: manifest.encoding });
    } catch (error) {
      if (error instanceof UserError) return undefined;
      throw error;
    }
  }

  /** What was read of a file, where it is one of those that this was made from: as it looks, or as it is. */
  digestOf({ path: file }: CurrentInput): FileDigest | undefined {
    const { size, mtime } = statSync(file);
    const candidates = this.manifest.inputs.filter(({ bytes, lines }) => bytes === size && lines !== null);
    const same = candidates.find((input) => input.path === file && input.modified === mtime.toISOString());
    const found = same ?? (candidates.length > 0 ? ofContent(candidates, sha256File(file)) : undefined);
    return found && { bytes: found.bytes, sha256: found.sha256, lines: found.lines! };
  }

  /**
   * The split that was made from what a key names, where its ids say what they would say now.
   *
   * @param given the dictionaries, where they are not counted anew
   */
  find(key: string, given: readonly [Dictionary, Dictionary] | undefined): string | undefined {
    const { encoding, dictionaries, languages } = this.manifest;
    // A given dictionary may lack pieces, or know text that the tokenizer does not: then ids are its own alone.
    const isSame =
      given === undefined
        ? !encoding.givenDictionaries
        : given.every(({ hash }, i) => dictionaries[[languages.source, languages.target][i]].sha256 === hash);
    if (!isSame) return undefined;
    const split = Object.keys(encoding.splits).find((name) => encoding.splits[name] === key);
    return split !== undefined && this.isWhole(split) ? split : undefined;
  }

  /** The pairs of a split as encoding gives them, numbered by tables of now, block by block. */
  *pairs(split: string, tables: readonly SymbolTable[]): Generator<EncodedPairs, void, undefined> {
    const { source, target } = this.manifest.languages;
    const at = (name: string): string => path.join(this.folder, name);
    const { pairs, dropped, links } = this.manifest.splits[split];
    const stems = [source, target].map((language) => `${split}.${source}-${target}.${language}`);
    if (links !== undefined) stems.push(linksStem(split, `${source}-${target}`));
    const lists = stems.map((stem) => IndexedDataset.open(at(stem)));
    try {
      const numbers = [source, target].map((language, i) =>
        tables[i].numbersOf(Dictionary.load(at(`dict.${language}.txt`))),
      );
      const items = lists.map((list) => list.items());
      const [{ length }] = lists;
      for (let done = 0, told = false; done < length || !told; done += BLOCK, told = true) {
        const count = Math.min(BLOCK, length - done);
        const [left, right, linked] = items.map((list, i) => take(list, count, numbers[i]));
        const first = { pairs, dropped: { ...countDrops(), ...dropped } };
        yield {
          ...(told ? { pairs: 0, dropped: countDrops() } : first),
          ...{ sides: [left, right], links: linked, hashes: new Uint32Array(0) },
        };
      }
    } finally {
      for (const list of lists) list.close();
    }
  }

  /** Whether its files are as they were written. */
  private isWhole(split: string): boolean {
    const { checksums = {} } = this.manifest;
    const names = Object.keys(checksums).filter(
      (name) => name.startsWith(`${split}.`) || name.startsWith('dict.'),
    );
    try {
      verifyFiles(this.folder, Object.fromEntries(names.map((name) => [name, checksums[name]])), '');
      return names.length > 0;
    } catch (error) {
      if (error instanceof UserError) return false;
      throw error;
    }
  }
}

const ofContent = <T extends { sha256: string }>(inputs: readonly T[], sum: string): T | undefined =>
  inputs.find((input) => input.sha256 === sum);

/** The next sentences in other numbers; links have no other ones. */
function take(
  items: Generator<Int32Array>,
  count: number,
  numbers: Int32Array | undefined,
): EncodedPairs['sides'][number] {
  const ids = new IdList();
  const ends = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    for (const id of items.next().value as Int32Array) ids.push(numbers === undefined ? id : numbers[id]);
    ends[i] = ids.length;
  }
  return { ids: ids.view(), ends };
}
