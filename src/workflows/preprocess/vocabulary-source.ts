import { existsSync } from 'node:fs';
import * as path from 'node:path';
import { UserError } from '../../common/errors.js';
import { tagsOf } from '../../config/corpus-list.js';
import { kindOfFolder, runOfCheckpoint } from '../../config/run-folder.js';
import type { DataConfig } from '../../config/schema.js';
import { Dictionary } from '../../data/dictionary.js';
import { type CurrentInput, sumsOf } from '../../data/manifest.js';
import type { StoredPieceModel, VocabularySource } from '../../data/preprocess-options.js';
import { startCounter } from './counter-threads.js';
import { loadPieceModel } from './piece-model.js';

/** The files that tokenizers and dictionaries come from; none where they are made of the training text. */
export function vocabularyInputs(data: DataConfig): CurrentInput[] {
  const { tokenizer, sourceLang, targetLang } = data;
  const folder = vocabularyFolder(data);
  if (folder === null) return tokenizer.model === null ? [] : [{ role: 'tokenizer', path: tokenizer.model }];
  const languages = [sourceLang, targetLang];
  const tokenizers = new Set(languages.map((language) => tokenizerFile(data, folder, language)));
  return [
    ...[...tokenizers].map((file) => ({ role: path.basename(file), path: file })),
    ...languages.map((language) => ({ role: `dict.${language}`, path: dictionaryFile(folder, language) })),
  ];
}

/**
 * Where `data` says that tokenizers and dictionaries come from.
 *
 * @param threads to train with, at most; null for as many as this process may use
 * @throws UserError for files missing or damaged
 */
export function vocabularySource(data: DataConfig, threads: number | null): VocabularySource {
  const { tokenizer, sourceLang, targetLang } = data;
  const folder = vocabularyFolder(data);
  if (folder === null && tokenizer.model === null) {
    const sentences = tokenizer.sentences ?? undefined;
    const withTags = { ...tokenizer, userDefinedSymbols: symbolsOf(data) };
    return { kind: 'trained', start: (setup) => startCounter(withTags, setup, threads), sentences };
  }
  const files = vocabularyInputs(data);
  if (folder === null) {
    const model = loadPieceModel(tokenizer.model!);
    return { kind: 'given', files, models: [model, model] };
  }
  const sums = sumsOf(folder);
  const loaded = new Map<string, StoredPieceModel>();
  const model = (language: string): StoredPieceModel => {
    const file = tokenizerFile(data, folder, language);
    const known = loaded.get(file) ?? loadPieceModel(file, sums[path.relative(folder, file)]);
    loaded.set(file, known);
    return known;
  };
  const dictionary = (language: string): Dictionary => {
    const file = dictionaryFile(folder, language);
    return Dictionary.load(file, sums[path.basename(file)]);
  };
  return {
    kind: 'given',
    files,
    models: [model(sourceLang), model(targetLang)],
    dictionaries: [dictionary(sourceLang), dictionary(targetLang)],
  };
}

/** The user-defined symbols of a trained tokenizer: those of the config, then the tags. */
function symbolsOf(data: DataConfig): string[] {
  const { userDefinedSymbols, controlSymbols } = data.tokenizer;
  const known = new Set([...userDefinedSymbols, ...controlSymbols]); // a control symbol as a tag is refused by name
  return [...userDefinedSymbols, ...tagsOf(data).filter((tag) => !known.has(tag))];
}

/** The folder of data.vocabulary-from; the run of a checkpoint stands for it. */
function vocabularyFolder({ vocabularyFrom: folder }: DataConfig): string | null {
  return folder !== null && kindOfFolder(folder) === 'checkpoint' ? runOfCheckpoint(folder) : folder;
}

const dictionaryFile = (folder: string, language: string): string =>
  path.join(folder, `dict.${language}.txt`);

/** That of the language, or of both; where the folder has none, the one that the config names. */
function tokenizerFile({ tokenizer }: DataConfig, folder: string, language: string): string {
  const found = [`tokenizer.${language}.model`, 'tokenizer.model']
    .map((name) => path.join(folder, name))
    .find((file) => existsSync(file));
  if (found !== undefined) return found;
  if (tokenizer.model !== null) return tokenizer.model;
  throw new UserError({
    problem: `data.vocabulary-from: expected a tokenizer of ${language}, found none`,
    where: folder,
    hint: 'Give a run directory or a dataset; one of fairseq has no tokenizer, name it with --tokenizer-model.',
  });
}
