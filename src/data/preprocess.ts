import { statSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { UserError } from '../common/errors.js';
import { sumFile } from '../common/file-input.js';
import { sha256File, writeFolderAtomic } from '../common/files.js';
import { mapInOrder } from '../common/in-order.js';
import { startProgress } from '../common/progress.js';
import { allDropped, findTag } from './corpus-faults.js';
import { remapIds } from './dataset-writer.js';
import type { Dictionary } from './dictionary.js';
import { drawLines, type LineDraw } from './line-sample.js';
import {
  checkReplaceable,
  createManifest,
  describeInput,
  formatManifest,
  MANIFEST_FILE,
  type Manifest,
  type ManifestInput,
  type SplitSummary,
} from './manifest.js';
import { type FileDigest, type PairBytes, readPairBytes } from './pair-bytes.js';
import { PairSet } from './pair-set.js';
import { filesOf } from './parallel-text.js';
import {
  encodeHere,
  type PreprocessOptions,
  type StoredPieceModel,
  type VocabularySource,
} from './preprocess-options.js';
import { SplitWriter } from './split-writer.js';
import { SymbolTable } from './symbol-table.js';
import { describeCorpora, inputsOf, inputsOfPart, linesOf, partsOf, type TextPart } from './text-parts.js';

/**
 * Makes a dataset folder from text: tokenizer, dictionaries, a data-bin in fairseq's mmap format and a manifest. The
 * folder appears when it is whole. Text is streamed: twice for training when the tokenizer is trained on it, once more
 * where it is trained on a part, once otherwise. Memory grows with the vocabulary, 8 bytes a pair for the index, and 11
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
  private readonly digests = new Map<string, FileDigest>();

  constructor(options: PreprocessOptions, folder: string) {
    this.options = options;
    this.folder = folder;
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
    return this.writeManifest(splits, dictionaries);
  }

  /** Trains the tokenizers where they are not given. With `joint` both sides share model and table. */
  private async makeSides(): Promise<[Side, Side]> {
    const { vocabulary, joint, sourceLang, targetLang } = this.options;
    const given = vocabulary.kind === 'given' ? vocabulary.dictionaries : undefined;
    const [source, target] = vocabulary.kind === 'given' ? vocabulary.models : await this.train(vocabulary);
    const table = new SymbolTable(source, given?.[0]);
    const shared = joint && given === undefined;
    return [
      { language: sourceLang, model: source, table },
      { language: targetLang, model: target, table: shared ? table : new SymbolTable(target, given?.[1]) },
    ];
  }

  private async train({
    start,
    sentences,
  }: VocabularySource & { kind: 'trained' }): Promise<[StoredPieceModel, StoredPieceModel]> {
    const { joint, clean } = this.options;
    const files = this.training.flatMap(({ texts }) => texts.flatMap(filesOf));
    const drawn = sentences === undefined ? undefined : await this.drawLines(sentences);
    const counter = start({ joint, clean, files, drawn });
    try {
      const add = (block: PairBytes) => counter.add(block);
      await this.count('Reading', add, counter.width);
      return await counter.train();
    } finally {
      await counter.close();
    }
  }

  /** Which lines a tokenizer is trained on: of both sides together, or as many of each side as of the other. */
  private async drawLines(wanted: number): Promise<LineDraw> {
    const pairs = await this.count('Counting', ([{ ends }]) => ends.length, 1);
    return drawLines(this.options.joint ? 2 * pairs : pairs, wanted);
  }

  /** Reads the training text to its end. @param pairsOf how many a block has. @returns how many there are */
  private async count(
    what: string,
    pairsOf: (block: PairBytes) => number | Promise<number>,
    width: number,
  ): Promise<number> {
    const progress = startProgress({ label: `${what} the training text`, unit: 'pairs' });
    let pairs = 0;
    try {
      for (const part of this.training) {
        await this.read(part, pairsOf, width, (count) => {
          pairs += count;
          progress.update(pairs);
        });
      }
    } finally {
      progress.stop();
    }
    return pairs;
  }

  /** Reads a part to its end, text by text. @throws UserError where one has no pairs */
  private async read<T>(
    part: TextPart,
    work: (block: PairBytes) => T | Promise<T>,
    width: number,
    see: (result: T) => void,
  ): Promise<void> {
    const { sourceLang, targetLang } = this.options;
    const digests: FileDigest[] = [];
    for (const text of part.texts) {
      const files = filesOf(text);
      const read = await this.readText(mapInOrder(readPairBytes(files), work, width), see);
      if (read[0].lines === 0) {
        throw new UserError({
          problem: `data.${part.role}: expected sentences, found an empty file`,
          where: files[0],
          hint: 'Check the path.',
        });
      }
      digests.push(...read);
    }
    inputsOfPart(part, [sourceLang, targetLang]).forEach(({ role }, i) => {
      this.digests.set(role, digests[i]);
    });
  }

  private async readText<T>(
    blocks: AsyncGenerator<T, FileDigest[], void>,
    see: (result: T) => void,
  ): Promise<FileDigest[]> {
    let step = await blocks.next();
    try {
      for (; !step.done; step = await blocks.next()) {
        see(step.value);
        this.options.signal?.throwIfAborted();
      }
    } finally {
      await blocks.return([]);
    }
    return step.value;
  }

  /** Writes a split. The ids of the training text are provisional, see SymbolTable. */
  private async encode(part: TextPart, sides: readonly [Side, Side]): Promise<SplitSummary> {
    const { clean, startEncoder = encodeHere, sourceLang, targetLang } = this.options;
    const { split, filter, texts } = part;
    const tag = findTag(part, sides[0], this.options.vocabulary);
    const progress = startProgress({
      label: `Encoding ${part.name ?? split}`,
      total: linesOf(part, [sourceLang, targetLang], this.digests),
      unit: 'pairs',
    });
    const writer = new SplitWriter(this.stem(split), sides, {
      counted: this.training.includes(part),
      seen: filter?.deduplicate ? new PairSet() : undefined,
    });
    const files = texts.flatMap(filesOf);
    const [source, target] = sides.map(({ model, table }) => ({ model, numbering: table.numbering }));
    const encoder = startEncoder({ sides: [source, target], options: { clean, filter, tag }, files });
    try {
      const encode = (block: PairBytes) => encoder.encode(block);
      await this.read(part, encode, encoder.width, (encoded) => {
        writer.add(encoded);
        progress.update(writer.pairs);
      });
      if (filter !== undefined && writer.kept === 0) throw allDropped(writer, part);
      writer.finish();
      this.files.push(...writer.files);
    } finally {
      progress.stop();
      writer.discard();
      await encoder.close();
    }
    return writer.summary(filter !== undefined);
  }

  /** What the names of the files of a split begin with. */
  private stem(split: string): string {
    const { sourceLang, targetLang } = this.options;
    return path.join(this.folder, `${split}.${sourceLang}-${targetLang}`);
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
    const shared =
      vocabulary.kind === 'given' && vocabulary.dictionaries ? source.model === target.model : joint;
    if (shared) this.write('tokenizer.model', source.model.serialize());
    else {
      for (const { language, model } of [source, target]) {
        this.write(`tokenizer.${language}.model`, model.serialize());
      }
    }
  }

  private writeManifest(
    splits: Record<string, SplitSummary>,
    dictionaries: Map<string, Dictionary>,
  ): Manifest {
    const { dataHash, seed, sourceLang, targetLang } = this.options;
    const manifest = createManifest({
      dataHash,
      seed,
      languages: { source: sourceLang, target: targetLang },
      inputs: this.describeInputs(),
      splits,
      ...describeCorpora(this.training),
      dictionaries: Object.fromEntries(
        [...dictionaries].map(([language, { size, hash }]) => [language, { size, sha256: hash }]),
      ),
      files: [...this.files, MANIFEST_FILE].sort(),
      checksums: Object.fromEntries(this.files.map((name) => [name, sumFile(path.join(this.folder, name))])),
    });
    this.write(MANIFEST_FILE, formatManifest(manifest));
    return manifest;
  }

  private describeInputs(): ManifestInput[] {
    const { texts, vocabulary, sourceLang, targetLang } = this.options;
    const given = vocabulary.kind === 'given' ? vocabulary.files : [];
    return inputsOf(texts, [sourceLang, targetLang], given).map((input) => {
      const digest = this.digests.get(input.role);
      return describeInput(
        input,
        digest ?? { bytes: statSync(input.path).size, sha256: sha256File(input.path) },
      );
    });
  }

  private write(name: string, content: string | Uint8Array): void {
    this.files.push(name);
    writeFileSync(path.join(this.folder, name), content);
  }
}
