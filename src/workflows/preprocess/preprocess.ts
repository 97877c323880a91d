import * as path from 'node:path';
import process from 'node:process';
import { canonicalHash } from '../../common/canonical-hash.js';
import { formatDuration } from '../../common/duration.js';
import { type Complaint, InterruptedError, UserError, userErrorOf } from '../../common/errors.js';
import { putBack } from '../../common/leftovers.js';
import { log } from '../../common/log.js';
import { corporaOf } from '../../config/corpus-list.js';
import { fromHome } from '../../config/home.js';
import type { Config, DataConfig } from '../../config/schema.js';
import { Dictionary } from '../../data/dictionary.js';
import { findParallelTexts } from '../../data/find-texts.js';
import {
  hasManifest,
  isStale,
  type Manifest,
  readManifest,
  type SplitSummary,
  verifyDataset,
} from '../../data/manifest.js';
import { ParallelDataset } from '../../data/parallel-dataset.js';
import { findParallelText, withLinks } from '../../data/parallel-text.js';
import { preprocessCorpus } from '../../data/preprocess.js';
import type { PreprocessOptions } from '../../data/preprocess-options.js';
import { type CorpusText, inputsOf } from '../../data/text-parts.js';
import { startEncoder } from './encoder-threads.js';
import {
  checkChoices,
  keptVocabulary,
  type PreprocessChoices,
  trainingOf,
  vocabularyHash,
} from './kept-vocabulary.js';
import { trainingShards } from './training-split.js';
import { vocabularyInputs, vocabularySource } from './vocabulary-source.js';

/**
 * `admin-nmt preprocess`: text → tokenizer, dictionaries and dataset in `data.destdir`. Does nothing where that is up
 * to date, unless told to overwrite. A data-bin of others (`data.prepared`) is only checked.
 *
 * @throws UserError for what the user can mend, InterruptedError after a signal; the folder is then as it was
 */
export async function preprocess(config: Config, choices: PreprocessChoices): Promise<void> {
  const { data } = config;
  checkChoices(data, choices);
  if (data.prepared) return checkPrepared(data);
  const texts = findTexts(data);
  const reason = choices.overwrite === true ? 'it is to be overwritten' : reasonToMake(data, texts);
  if (reason === undefined) {
    log.info(`${data.destdir} is up to date; --overwrite makes it anew.`);
  } else {
    await makeDataset(config, texts, reason, choices);
  }
}

/**
 * Sees to it that `data.destdir` holds the dataset of this config: makes it where it is missing or stale and says
 * why. A dataset of this very config is used as it is where the text is not there any more. One that is not made now
 * is compared with its checksums: once, then it is trusted while its files look the same.
 *
 * @param options.verify compare it whatever its files look like
 * @throws as preprocess
 */
export async function ensureDataset(config: Config, options: { verify?: boolean } = {}): Promise<void> {
  const { data } = config;
  if (data.prepared) return checkPrepared(data);
  putBack(path.resolve(data.destdir));
  const texts = findTextsUnlessMade(data);
  const reason = texts && reasonToMake(data, texts);
  if (texts === undefined) {
    log.info(`The text of ${data.destdir} is not here any more: the dataset is used as it is.`);
  } else if (reason !== undefined) {
    return makeDataset(config, texts, reason);
  }
  verifyDataset(data.destdir, readManifest(data.destdir), { again: options.verify });
}

type Texts = PreprocessOptions['texts'];

/** The files of the text. @throws UserError with every one that is missing, by its key */
function findTexts(data: DataConfig): Texts {
  const complaints: Complaint[] = [];
  const attempt = <T>(find: () => T): T | undefined => {
    try {
      return find();
    } catch (error) {
      complaints.push(...userErrorOf(error).complaints);
      return undefined;
    }
  };
  const { sourceLang, targetLang, alignSuffix: suffix } = data;
  const find = (key: 'train' | 'valid' | 'test', given: string | null) => {
    if (given === null) return undefined;
    const [prefix, name] = [path.resolve(data.root, given), `data.${key}`];
    return attempt(() => {
      const text = findParallelText(prefix, sourceLang, targetLang, name);
      if (suffix === null || key === 'test') return text;
      return withLinks(text, prefix, { suffix, key: name, needed: key === 'train' });
    });
  };
  const corpora = corporaOf(data.train)?.map((corpus, i): CorpusText => {
    const { name, tag, path: pattern, filter } = corpus;
    const place = path.resolve(data.root, fromHome(pattern));
    const found = attempt(() => findParallelTexts(place, sourceLang, targetLang, `data.train.${i}`, suffix));
    return { name, tag, texts: found ?? [], filter: { ...data.filter, ...filter } };
  });
  const train = corpora ?? find('train', data.train as string | null);
  const [valid, test] = [find('valid', data.valid), find('test', data.test)];
  if (data.train === null) {
    complaints.push({
      problem: 'expected the training text, found null',
      where: 'data.train',
      hint: 'Set it in the config, or give --trainpref PREFIX; for a data-bin of fairseq set data.prepared.',
    });
  }
  if (complaints.length > 0) throw new UserError(complaints);
  return { train: train!, valid, test, validTag: data.validTag };
}

/** As findTexts; undefined where text is missing, but the dataset of this config is there. */
function findTextsUnlessMade(data: DataConfig): Texts | undefined {
  try {
    return findTexts(data);
  } catch (error) {
    const made = hasManifest(data.destdir) && readManifest(data.destdir).dataHash === datasetHash(data);
    if (made && error instanceof UserError) return undefined;
    throw error;
  }
}

/** Why the dataset is to be made, in words; undefined where it is up to date. */
function reasonToMake(data: DataConfig, texts: Texts): string | undefined {
  if (!hasManifest(data.destdir)) return 'there is none yet';
  const inputs = inputsOf(texts, [data.sourceLang, data.targetLang], vocabularyInputs(data));
  return isStale(data.destdir, readManifest(data.destdir), datasetHash(data), inputs);
}

/** Names everything in the config that the dataset depends on; files of text and tokenizer are compared themselves. */
export function datasetHash(data: DataConfig): string {
  const { sourceLang, targetLang, vocabularyFrom, tokenizer, clean, validTag, alignSuffix } = data;
  const { vocabularyThreshold: threshold } = tokenizer;
  const corpora = corporaOf(data.train)?.map(({ name, tag, filter }) => ({
    ...{ name, tag },
    filter: { ...data.filter, ...filter },
  }));
  return canonicalHash({
    sourceLang,
    targetLang,
    joint: tokenizer.joint,
    ...(threshold > 0 && vocabularyFrom === null && { vocabularyThreshold: threshold }),
    training: tokenizer.model === null && vocabularyFrom === null ? trainingOf(tokenizer) : null,
    ...(corpora === undefined ? { filter: data.filter } : { corpora }),
    ...(validTag !== null && { validTag }),
    ...(alignSuffix !== null && { alignSuffix }),
    clean,
  });
}

async function makeDataset(
  config: Config,
  texts: Texts,
  reason: string,
  { append = false, overwrite = false }: PreprocessChoices = {},
): Promise<void> {
  const { data, seed } = config;
  const started = performance.now();
  log.info(`Making ${data.destdir}: ${reason}.`);
  const manifest = await interruptible((signal) =>
    preprocessCorpus({
      destdir: data.destdir,
      sourceLang: data.sourceLang,
      targetLang: data.targetLang,
      texts,
      vocabulary: append ? keptVocabulary(data) : vocabularySource(data, config.threads),
      reuse: !overwrite,
      joint: data.tokenizer.joint,
      vocabularyThreshold: data.vocabularyFrom === null ? data.tokenizer.vocabularyThreshold : 0,
      filter: data.filter,
      clean: data.clean,
      dataHash: datasetHash(data),
      vocabularyHash: vocabularyHash(data),
      seed,
      startEncoder: (setup) => startEncoder(setup, config.threads),
      signal,
    }),
  );
  for (const line of describeDataset(manifest)) log.info(line);
  log.info(`Made in ${formatDuration((performance.now() - started) / 1000)}: ${data.destdir}`);
}

/** Runs work that SIGINT and SIGTERM end at its next safe point. */
async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const stop = (name: 'SIGINT' | 'SIGTERM'): void => {
    controller.abort(new InterruptedError(name, 'Interrupted: the dataset was not made.'));
  };
  const signals = ['SIGINT', 'SIGTERM'] as const;
  for (const name of signals) process.once(name, stop);
  try {
    return await work(controller.signal);
  } finally {
    for (const name of signals) process.off(name, stop);
  }
}

/** The manifest in a few lines. */
function describeDataset({ splits, dictionaries, corpora = [] }: Manifest): string[] {
  const named = new Map(corpora.map(({ name, split }) => [split, `${split} (${name})`]));
  return [
    ...Object.entries(splits).flatMap(([name, split]) => describeSplit(named.get(name) ?? name, split)),
    ...describeDictionaries(dictionaries),
  ];
}

function describeDictionaries(dictionaries: Manifest['dictionaries']): string[] {
  const hashes = new Set(Object.values(dictionaries).map(({ sha256 }) => sha256));
  if (hashes.size === 1)
    return [`dictionary of both languages: ${Object.values(dictionaries)[0].size} symbols`];
  return Object.entries(dictionaries).map(
    ([language, { size }]) => `dictionary of ${language}: ${size} symbols`,
  );
}

function describeSplit(name: string, { pairs, kept, dropped, links, sides }: SplitSummary): string[] {
  const reasons = Object.entries(dropped).filter(([, count]) => count > 0);
  const lost = reasons.map(([reason, count]) => `${reason} ${count}`).join(', ');
  return [
    `${name}: ${kept === pairs ? `${pairs} pairs` : `${kept} of ${pairs} pairs, dropped: ${lost}`}`,
    ...Object.entries(sides).map(([language, { tokens, unknown, oovRate, longest }]) => {
      const mean = (tokens / kept).toFixed(1);
      const oov = `${(100 * oovRate).toFixed(2)} % <unk> (${unknown})`;
      return `  ${language}: ${tokens} tokens, ${mean} a sentence, at most ${longest}; ${oov}`;
    }),
    ...(links === undefined
      ? []
      : [`  alignment: ${links} links of tokens, ${(links / kept).toFixed(1)} a pair`]),
  ];
}

/** Opens a data-bin of others and reads a first pair of each split. */
function checkPrepared(data: DataConfig): void {
  const { destdir, sourceLang, targetLang } = data;
  const others = ['valid', 'test'].filter((split) =>
    ParallelDataset.exists(destdir, split, sourceLang, targetLang),
  );
  for (const split of [...trainingShards(data), ...others]) {
    const dataset = ParallelDataset.open(destdir, split, sourceLang, targetLang);
    try {
      if (dataset.size === 0) {
        throw new UserError({ problem: `expected pairs in the ${split} split, found none`, where: destdir });
      }
      dataset.pair(0);
      log.info(`${destdir}: ${split} with ${dataset.size} pairs, prepared by others`);
    } finally {
      dataset.close();
    }
  }
  for (const language of [sourceLang, targetLang]) {
    const { size } = Dictionary.load(path.join(destdir, `dict.${language}.txt`));
    log.info(`  dictionary of ${language}: ${size} symbols`);
  }
}
