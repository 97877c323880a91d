import { statSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { UserError } from '../common/errors.js';
import { sumFile } from '../common/file-input.js';
import { sha256File, writeFolderAtomic } from '../common/files.js';
import { startProgress } from '../common/progress.js';
import { lineCleaner } from './clean.js';
import { DatasetWriter, remapIds } from './dataset-writer.js';
import { type Dictionary, EOS } from './dictionary.js';
import { PairFilter } from './filters.js';
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
import { type FileDigest, filesOf, type PairBlock, readPairs } from './parallel-text.js';
import {
  inputsOf,
  type PieceTrainer,
  type PreprocessOptions,
  SPLITS,
  type Split,
  type StoredPieceModel,
} from './preprocess-options.js';
import { SideCounter } from './side-summary.js';
import { SymbolTable } from './symbol-table.js';

/**
 * Makes a dataset folder from text: tokenizer, dictionaries, a data-bin in fairseq's mmap format and a manifest. The
 * folder appears when it is whole. Text is streamed: twice for training when the tokenizer is trained on it, once
 * otherwise. Memory grows with the vocabulary, 8 bytes a pair for the index, and 11 to 22 bytes a pair where
 * duplicates are dropped; not with the text itself.
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
  private readonly clean: (line: string) => string;
  private readonly files: string[] = [];
  private readonly digests = new Map<string, FileDigest>();

  constructor(options: PreprocessOptions, folder: string) {
    this.options = options;
    this.folder = folder;
    this.clean = lineCleaner(options.clean);
  }

  async run(): Promise<Manifest> {
    const sides = await this.makeSides();
    const splits: Partial<Record<Split, SplitSummary>> = {};
    splits.train = await this.encode('train', sides, new PairFilter(this.options.filter));
    const dictionaries = this.finishDictionaries(sides);
    for (const split of SPLITS.slice(1)) {
      if (this.options.texts[split] !== undefined) splits[split] = await this.encode(split, sides);
    }
    this.writeTokenizers(sides);
    return this.writeManifest(splits, dictionaries);
  }

  /** Trains the tokenizers where they are not given. With `joint` both sides share model and table. */
  private async makeSides(): Promise<[Side, Side]> {
    const { vocabulary, joint, sourceLang, targetLang } = this.options;
    const given = vocabulary.kind === 'given' ? vocabulary.dictionaries : undefined;
    const [source, target] =
      vocabulary.kind === 'given' ? vocabulary.models : await this.train(vocabulary.start);
    const table = new SymbolTable(source, given?.[0]);
    const shared = joint && given === undefined;
    return [
      { language: sourceLang, model: source, table },
      { language: targetLang, model: target, table: shared ? table : new SymbolTable(target, given?.[1]) },
    ];
  }

  private async train(start: () => PieceTrainer): Promise<[StoredPieceModel, StoredPieceModel]> {
    const source = start();
    const target = this.options.joint ? source : start();
    const progress = startProgress({ label: 'Reading the training text', unit: 'pairs' });
    let pairs = 0;
    try {
      await this.read('train', (block) => {
        for (const line of block.source) source.add(line);
        for (const line of block.target) target.add(line);
        pairs += block.source.length;
        progress.update(pairs);
      });
    } finally {
      progress.stop();
    }
    const model = source.train();
    return [model, target === source ? model : target.train()];
  }

  /** Calls `see` with all pairs of a split, cleaned. @throws UserError where there are none */
  private async read(split: Split, see: (block: PairBlock) => void): Promise<void> {
    const { texts, sourceLang, targetLang, signal } = this.options;
    const text = texts[split]!;
    const pairs = readPairs(text);
    const { clean } = this;
    let step = await pairs.next();
    for (; !step.done; step = await pairs.next()) {
      const { source, target } = step.value;
      see({ source: source.map(clean), target: target.map(clean) });
      signal?.throwIfAborted();
    }
    const inputs = inputsOf({ [split]: text } as PreprocessOptions['texts'], [sourceLang, targetLang]);
    inputs.forEach(({ role }, i) => {
      this.digests.set(role, (step.value as FileDigest[])[i]);
    });
    if ((step.value as FileDigest[])[0].lines === 0) {
      throw new UserError({
        problem: `data.${split}: expected sentences, found an empty file`,
        where: filesOf(text)[0],
        hint: 'Check the path.',
      });
    }
  }

  /** Writes a split. The ids of the training text are provisional, see SymbolTable. */
  private async encode(split: Split, sides: readonly Side[], filter?: PairFilter): Promise<SplitSummary> {
    const total = [...this.digests].find(([role]) => role.startsWith(split))?.[1].lines;
    const progress = startProgress({ label: `Encoding ${split}`, total, unit: 'pairs' });
    const writers = sides.map(
      ({ language, table }) => new DatasetWriter(this.prefix(split, language), table.size),
    );
    const counters = sides.map(() => new SideCounter());
    let pairs = 0;
    try {
      await this.read(split, (block) => {
        for (let i = 0; i < block.source.length; i++) {
          const lines = [block.source[i], block.target[i]];
          const ids = sides.map(({ model, table }, side) => table.number(model.encode(lines[side])));
          if (filter?.keeps(lines[0], lines[1], ids[0].length, ids[1].length) === false) continue;
          ids.forEach((sentence, side) => {
            if (filter !== undefined) sides[side].table.count(sentence);
            counters[side].add(sentence);
            writers[side].add(sentence, EOS);
          });
        }
        pairs += block.source.length;
        progress.update(pairs);
      });
      if (filter !== undefined && writers[0].length === 0) throw this.allDropped(pairs, filter);
      for (const writer of writers) writer.finish();
    } finally {
      progress.stop();
      for (const writer of writers) writer.discard();
    }
    return {
      pairs,
      kept: writers[0].length,
      dropped: filter?.dropped ?? {},
      sides: Object.fromEntries(sides.map(({ language }, side) => [language, counters[side].summary()])),
    };
  }

  private allDropped(pairs: number, { dropped }: PairFilter): UserError {
    const reasons = Object.entries(dropped).filter(([, count]) => count > 0);
    return new UserError({
      problem: `expected training pairs, but data.filter drops all ${pairs} (${reasons.map(([reason, count]) => `${reason}: ${count}`).join(', ')})`,
      where: filesOf(this.options.texts.train)[0],
      hint: 'Loosen data.filter, or check that the files are the right ones.',
    });
  }

  /** The prefix of a side's files, which are noted as made. */
  private prefix(split: Split, language: string): string {
    const { sourceLang, targetLang } = this.options;
    const name = `${split}.${sourceLang}-${targetLang}.${language}`;
    this.files.push(`${name}.bin`, `${name}.idx`);
    return path.join(this.folder, name);
  }

  private finishDictionaries(sides: readonly Side[]): Map<string, Dictionary> {
    const finished = new Map(
      [...new Set(sides.map(({ table }) => table))].map((table) => [table, table.finish()]),
    );
    const dictionaries = new Map<string, Dictionary>();
    for (const { language, table } of sides) {
      const { dictionary, ids } = finished.get(table)!;
      const { sourceLang, targetLang } = this.options;
      const stem = path.join(this.folder, `train.${sourceLang}-${targetLang}.${language}`);
      if (ids !== undefined) remapIds(stem, table.size, ids);
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
