import { writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { sumFile } from '../common/file-input.js';
import { writeFolderAtomic } from '../common/files.js';
import { log } from '../common/log.js';
import { startProgress } from '../common/progress.js';
import { allDropped, findTag } from './corpus-faults.js';
import { remapIds } from './dataset-writer.js';
import type { Dictionary } from './dictionary.js';
import { EarlierDataset, keyOfPart } from './earlier-dataset.js';
import { linksStem } from './indexed-format.js';
import { makeModels } from './make-models.js';
import {
  checkReplaceable,
  createManifest,
  describeInputs,
  formatManifest,
  MANIFEST_FILE,
  type Manifest,
  type SplitSummary,
} from './manifest.js';
import type { EncodedPairs } from './pair-encoder.js';
import { PairSet } from './pair-set.js';
import { filesOf } from './parallel-text.js';
import { encodeHere, type PreprocessOptions, type StoredPieceModel } from './preprocess-options.js';
import { SplitWriter } from './split-writer.js';
import { ofEither, SymbolTable } from './symbol-table.js';
import {
  describeCorpora,
  inputsOf,
  inputsOfPart,
  isLinked,
  linesOf,
  partsOf,
  type TextPart,
} from './text-parts.js';
import { TextReader } from './text-reader.js';

/**
 * Makes a dataset folder from text: tokenizer, dictionaries, a data-bin in fairseq's mmap format and a manifest. The
 * folder appears when it is whole. Text is streamed: twice for training when the tokenizer is trained on it, once more
 * where it is trained on a part, once otherwise, and once more with a vocabulary threshold. Memory grows with the vocabulary, 8 bytes a pair for the index, and 11
 * to 22 bytes a pair where duplicates are dropped; not with the text itself.
 *
 * @throws UserError for what is wrong with the text, naming file and line; for a text without pairs; for a folder
 *   that is not ours to replace
 */
export async function preprocessCorpus(options: PreprocessOptions): Promise<Manifest> {
  checkReplaceable(options.destdir);
  let manifest: Manifest | undefined;
  await writeFolderAtomic(options.destdir, async (folder) => {
    manifest = await new Preprocessing(options, folder).run();
  });
  return manifest!;
}

/** One language on its way through. */
interface Side {
  readonly language: string;
  readonly model: StoredPieceModel;
  readonly table: SymbolTable;
}

class Preprocessing {
  private readonly options: PreprocessOptions;
  private readonly folder: string;
  private readonly parts: readonly TextPart[];
  private readonly training: readonly TextPart[];
  private readonly files: string[] = [];
  private readonly languages: readonly [source: string, target: string];
  private readonly reader: TextReader;
  /** Where ids may be taken over from. */
  private readonly earlier: EarlierDataset | undefined;

  constructor(options: PreprocessOptions, folder: string) {
    const { destdir, sourceLang, targetLang, reuse, signal } = options;
    this.options = options;
    this.folder = folder;
    this.languages = [sourceLang, targetLang];
    this.reader = new TextReader(this.languages, signal);
    this.earlier = reuse ? EarlierDataset.find(destdir, this.languages) : undefined;
    this.parts = partsOf(options.texts, options.filter);
    this.training = this.parts.filter(({ filter }) => filter !== undefined);
  }

  async run(): Promise<Manifest> {
    const sides = await this.makeSides();
    const splits: Record<string, SplitSummary> = {};
    for (const part of this.training) {
      splits[part.split] = await this.encode(part, sides);
    }
    const dictionaries = this.finishDictionaries(sides);
    for (const part of this.parts.slice(this.training.length)) {
      splits[part.split] = await this.encode(part, sides);
    }
    this.writeTokenizers(sides);
    return this.writeManifest(splits, dictionaries, sides);
  }

  /** Trains the tokenizers where they are not given. With `joint` both sides share the pieces and the table. */
  private async makeSides(): Promise<[Side, Side]> {
    const { vocabulary, joint, sourceLang, targetLang } = this.options;
    const given = vocabulary.kind === 'given' ? vocabulary.dictionaries : undefined;
    const [source, target] = await makeModels(this.options, this.training, this.reader);
    const shared = joint && given === undefined;
    const table = new SymbolTable(shared ? ofEither(source, target) : source, given?.[0]);
    return [
      { language: sourceLang, model: source, table },
      { language: targetLang, model: target, table: shared ? table : new SymbolTable(target, given?.[1]) },
    ];
  }

  /** Writes a split. The ids of the training text are provisional, see SymbolTable. */
  private async encode(part: TextPart, sides: readonly [Side, Side]): Promise<SplitSummary> {
    const { split, filter, name = split } = part;
    const tag = findTag(part, sides[0], this.options.vocabulary);
    const before = this.findEarlier(part, sides);
    const progress = startProgress({
      label: `${before === undefined ? 'Encoding' : 'Taking over'} ${name}`,
      total: linesOf(part, this.languages, this.reader.digests),
      unit: 'pairs',
    });
    const writer = new SplitWriter(this.stem(split), sides, {
      counted: this.training.includes(part),
      seen: filter?.deduplicate && before === undefined ? new PairSet() : undefined,
      links: isLinked(part) ? path.join(this.folder, linksStem(split, this.languages.join('-'))) : undefined,
    });
    const see = (encoded: EncodedPairs): void => {
      writer.add(encoded);
      progress.update(writer.pairs);
    };
    try {
      if (before === undefined) await this.encodeText(part, sides, tag, see);
      else await this.takeOver(before, sides, see);
      if (filter !== undefined && writer.kept === 0) throw allDropped(writer, part);
      writer.finish();
      this.files.push(...writer.files);
    } finally {
      progress.stop();
      writer.discard();
    }
    if (before !== undefined)
      log.info(`${name}: its ${writer.kept} pairs are taken over as they were encoded`);
    return writer.summary(filter !== undefined);
  }

  /** @param tag its number */
  private async encodeText(
    part: TextPart,
    sides: readonly [Side, Side],
    tag: number | undefined,
    see: (encoded: EncodedPairs) => void,
  ): Promise<void> {
    const { clean, startEncoder = encodeHere } = this.options;
    const { filter, texts } = part;
    const files = texts.flatMap(filesOf);
    const [source, target] = sides.map(({ model, table }) => ({ model, numbering: table.numbering }));
    const linked = isLinked(part);
    const encoder = startEncoder({ sides: [source, target], options: { clean, filter, tag, linked }, files });
    try {
      await this.reader.read(part, (block) => encoder.encode(block), encoder.width, see, { linked });
    } finally {
      await encoder.close();
    }
  }

  /** The split of the dataset of before that has this part. */
  private findEarlier(part: TextPart, sides: readonly [Side, Side]): string | undefined {
    const { earlier, reader } = this;
    if (earlier === undefined) return undefined;
    for (const input of inputsOfPart(part, this.languages)) {
      const digest = reader.digests.get(input.role) ?? earlier.digestOf(input);
      if (digest === undefined) return undefined;
      reader.digests.set(input.role, digest);
    }
    const { vocabulary } = this.options;
    return earlier.find(
      this.keyOf(part, sides),
      vocabulary.kind === 'given' ? vocabulary.dictionaries : undefined,
    );
  }

  private async takeOver(
    split: string,
    sides: readonly [Side, Side],
    see: (encoded: EncodedPairs) => void,
  ): Promise<void> {
    const tables = sides.map(({ table }) => table);
    for (const encoded of this.earlier!.pairs(split, tables)) {
      see(encoded);
      await setImmediate(); // lets signals be heard
      this.options.signal?.throwIfAborted();
    }
  }

  private keyOf(part: TextPart, sides: readonly [Side, Side]): string {
    const { digests } = this.reader;
    const sums = inputsOfPart(part, this.languages).map(({ role }) => digests.get(role)!);
    return keyOfPart(part, sums, { clean: this.options.clean, models: sides.map(({ model }) => model) });
  }

  /** What the names of the files of a split begin with. */
  private stem(split: string): string {
    return path.join(this.folder, `${split}.${this.languages.join('-')}`);
  }

  private finishDictionaries(sides: readonly [Side, Side]): Map<string, Dictionary> {
    const finished = new Map(
      [...new Set(sides.map(({ table }) => table))].map((table) => [table, table.finish()]),
    );
    const dictionaries = new Map<string, Dictionary>();
    for (const { language, table } of sides) {
      const { dictionary, ids } = finished.get(table)!;
      for (const { split } of ids === undefined ? [] : this.training) {
        remapIds(`${this.stem(split)}.${language}`, table.size, ids!);
      }
      dictionaries.set(language, dictionary);
      this.write(`dict.${language}.txt`, dictionary.serialize());
    }
    return dictionaries;
  }

  private writeTokenizers([source, target]: readonly [Side, Side]): void {
    const { joint, vocabulary } = this.options;
    const isSame = source.model === target.model;
    if (isSame && (joint || (vocabulary.kind === 'given' && vocabulary.dictionaries !== undefined)))
      this.write('tokenizer.model', source.model.serialize());
    else {
      for (const { language, model } of [source, target]) {
        this.write(`tokenizer.${language}.model`, model.serialize());
      }
    }
  }

  private writeManifest(
    splits: Record<string, SplitSummary>,
    dictionaries: Map<string, Dictionary>,
    sides: readonly [Side, Side],
  ): Manifest {
    const { dataHash, seed, sourceLang, targetLang, texts } = this.options;
    const { vocabulary, vocabularyHash, vocabularyThreshold = 0 } = this.options;
    const given = vocabulary.kind === 'given' ? vocabulary.files : [];
    const manifest = createManifest({
      dataHash,
      seed,
      languages: { source: sourceLang, target: targetLang },
      inputs: describeInputs(inputsOf(texts, this.languages, given), this.reader.digests),
      splits,
      ...describeCorpora(this.training),
      encoding: {
        vocabulary: vocabularyHash,
        ...(vocabularyThreshold > 0 && { vocabularyThreshold }),
        givenDictionaries: vocabulary.kind === 'given' && vocabulary.dictionaries !== undefined,
        splits: Object.fromEntries(this.parts.map((part) => [part.split, this.keyOf(part, sides)])),
      },
      dictionaries: Object.fromEntries(
        [...dictionaries].map(([language, { size, hash }]) => [language, { size, sha256: hash }]),
      ),
      files: [...this.files, MANIFEST_FILE].sort(),
      checksums: Object.fromEntries(this.files.map((name) => [name, sumFile(path.join(this.folder, name))])),
    });
    this.write(MANIFEST_FILE, formatManifest(manifest));
    return manifest;
  }

  private write(name: string, content: string | Uint8Array): void {
    this.files.push(name);
    writeFileSync(path.join(this.folder, name), content);
  }
}
