import { canonicalHash } from '../../common/canonical-hash.js';
import { UserError } from '../../common/errors.js';
import { sha256, sha256File } from '../../common/files.js';
import type { DataConfig } from '../../config/schema.js';
import { hasManifest, readManifest } from '../../data/manifest.js';
import type { StoredPieceModel, VocabularySource } from '../../data/preprocess-options.js';
import { readRules } from './piece-model.js';
import { vocabularyInputs, vocabularySource } from './vocabulary-source.js';

/* `preprocess --append`: what a dataset goes on with. */

/** What is to become of a dataset that is there, but not up to date. */
export interface PreprocessChoices {
  /** Make everything anew, even where it is up to date. */
  overwrite?: boolean;
  /** Keep its tokenizers and dictionaries, so that of corpora that have not changed nothing is encoded. */
  append?: boolean;
}

/** What of the config tokenizers are trained by. @throws UserError where their rules cannot be read */
export function trainingOf(tokenizer: DataConfig['tokenizer']): object {
  const { model, joint, vocabularyThreshold, sentences, ...rest } = tokenizer;
  const { userDefinedSymbols, controlSymbols, normalizationRules, ...others } = rest;
  // Without these keys datasets have the names that they had before there were any.
  return {
    ...others,
    ...(sentences !== null && { sentences }),
    ...(userDefinedSymbols.length > 0 && { userDefinedSymbols }),
    ...(controlSymbols.length > 0 && { controlSymbols }),
    ...(normalizationRules !== null && { normalizationRules: sha256(readRules(normalizationRules)) }),
  };
}

/** Names what of the config tokenizers are made by, given ones aside. */
export function vocabularyHash({ tokenizer }: DataConfig): string {
  return canonicalHash({ joint: tokenizer.joint, training: trainingOf(tokenizer) });
}

/** @throws UserError for choices that do not go together, or for which there is not the dataset */
export function checkChoices({ destdir, prepared }: DataConfig, choices: PreprocessChoices): void {
  const { append = false, overwrite = false } = choices;
  if (append && overwrite) {
    throw new UserError({
      problem: '--append keeps what --overwrite makes anew: expected one of them, found both',
      hint: 'Leave one of them out.',
    });
  }
  if (prepared && (append || overwrite)) {
    throw new UserError({
      problem: `expected a dataset of admin-nmt to ${append ? 'append to' : 'overwrite'}, found data.prepared`,
      where: destdir,
      hint: `That of others is only checked: leave out --${append ? 'append' : 'overwrite'}, or set data.prepared to false and make one from text.`,
    });
  }
  if (append && !hasManifest(destdir)) {
    throw new UserError({
      problem: 'expected a dataset to append to, found none',
      where: destdir,
      hint: 'Make one without --append first.',
    });
  }
}

/**
 * The tokenizers and dictionaries of the dataset that is there, where `data` does not say that they are others.
 *
 * @throws UserError where it does, or for files missing or damaged
 */
export function keptVocabulary(data: DataConfig): VocabularySource {
  if (data.vocabularyFrom !== null) return vocabularySource(data, null); // they are given anyway
  const { destdir, tokenizer } = data;
  const kept = vocabularySource({ ...data, vocabularyFrom: destdir }, null);
  if (kept.kind === 'trained') throw new Error('a folder of vocabularies gives some');
  if (isOther(data, kept.models)) {
    throw new UserError({
      problem: `--append keeps the tokenizer of the dataset: expected data.tokenizer as it was made with, found another`,
      where: tokenizer.model ?? destdir,
      hint: 'Set data.tokenizer back, or leave --append out: then all is made anew.',
    });
  }
  return { ...kept, files: vocabularyInputs(data) };
}

/** Whether `data` says that tokenizers are others than those of the dataset that is there. */
function isOther(data: DataConfig, kept: readonly StoredPieceModel[]): boolean {
  const { model, vocabularyThreshold } = data.tokenizer;
  const { encoding, inputs } = readManifest(data.destdir);
  if ((encoding?.vocabularyThreshold ?? 0) !== vocabularyThreshold) return true;
  if (model === null) return encoding !== undefined && encoding.vocabulary !== vocabularyHash(data);
  // With a threshold those of the dataset are only like it.
  return vocabularyThreshold > 0
    ? inputs.find(({ role }) => role === 'tokenizer')?.sha256 !== sha256File(model)
    : kept.some((own) => sha256(own.serialize()) !== sha256File(model));
}
