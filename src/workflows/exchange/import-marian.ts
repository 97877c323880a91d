import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { UserError } from '../../common/errors.js';
import { sha256File, writeFileAtomic } from '../../common/files.js';
import { log } from '../../common/log.js';
import { camelizeKeys } from '../../config/camel.js';
import { parseYamlValue } from '../../config/yaml-source.js';
import { Dictionary } from '../../data/dictionary.js';
import { checkFinite } from '../../formats/finite.js';
import { type Npz, openNpz } from '../../formats/npz.js';
import {
  IDS_BEFORE,
  MARIAN_OPTIONS,
  type MarianOptions,
  marianWeights,
  modelFromMarian,
} from '../../model/marian-checkpoint.js';
import { checkWeights } from '../../model/transformer.js';
import { Tokenizer } from '../../tokenizer/index.js';
import { configOf } from './imported-config.js';
import { readMarianVocabulary } from './marian-vocabulary.js';
import { checkFree, writeModelRun } from './model-run.js';

export interface MarianImport {
  /** The run directory to write. */
  output: string;
  sourceLang: string;
  targetLang: string;
  /** Of source and target, or one of both: .yml or SentencePiece models. */
  vocabs: readonly string[];
  /** SentencePiece models of source and target, or one of both; by default vocabularies that are such. */
  tokenizers?: readonly string[];
}

const LONGEST_OPTIONS = 2 ** 16;
const SIDES = ['source', 'target'] as const;

/**
 * `admin-nmt import` of a Transformer of Marian, such as the models of Opus-MT → a run directory to translate with, and to
 * start a training with.
 *
 * @throws UserError for what the user can mend; nothing is then written
 */
export async function importMarian(file: string, options: MarianImport): Promise<void> {
  checkFree(options.output);
  const npz = openNpz(file);
  const prepared = fs.mkdtempSync(path.join(tmpdir(), 'admin-nmt-import-'));
  try {
    const model = modelFromMarian(readOptions(npz, file), file);
    const written = configOf(model, options, options.output, options.output);
    const config = camelizeKeys(written);
    const vocabularies = bothOf(options.vocabs, '--vocabs').map(readMarianVocabulary);
    const [source, target] = vocabularies;
    if (config.model.shareEmbeddings === 'all' && String(source) !== String(target))
      throw new UserError({
        problem: 'expected one vocabulary for both languages, since all embeddings are tied, found two',
        where: '--vocabs',
        hint: 'Give the joint vocabulary of the model.',
      });
    const weights = marianWeights({ names: npz.names, read: (name) => npz.read(name) }, config.model, file);
    for (const [name, { data }] of weights) checkFinite(data, name, file);
    const sizes = { source: source.length + IDS_BEFORE, target: target.length + IDS_BEFORE };
    checkVocabularies(weights, sizes, options.vocabs);
    checkWeights(config.model, sizes, weights, file);
    prepareData(prepared, vocabularies, options);
    const data = { ...config.data, destdir: prepared };
    const origin = { checkpoint: path.resolve(file), sha256: sha256File(file) };
    await writeModelRun(options.output, { command: 'import', written, data, weights, origin });
    const { encoder, decoder, embedDim } = config.model;
    log.info(`Model of Marian: ${encoder.layers} + ${decoder.layers} layers of width ${embedDim}`);
    log.info(`To translate: admin-nmt translate ${options.output} --input FILE`);
  } finally {
    npz.close();
    fs.rmSync(prepared, { recursive: true, force: true });
  }
}

function readOptions(npz: Npz, file: string): MarianOptions {
  const refuse = (problem: string): UserError =>
    new UserError({
      problem: `expected the options of a model of Marian as ${MARIAN_OPTIONS}, found ${problem}`,
      where: file,
      hint: 'Give a model that marian-train has saved: they are in it.',
    });
  if (!npz.names.includes(MARIAN_OPTIONS)) throw refuse('none');
  const text = npz.readBytes(MARIAN_OPTIONS, LONGEST_OPTIONS).toString('utf8').replace(/\0+$/, '');
  let value: unknown;
  try {
    value = parseYamlValue(text);
  } catch {
    throw refuse('text that is not YAML');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw refuse('no map');
  return new Map(Object.entries(value));
}

/** One for each language, from two or one. */
function bothOf(files: readonly string[], flag: string): [string, string] {
  if (files.length === 1 || files.length === 2) return [files[0], files.at(-1)!];
  throw new UserError({
    problem: `expected one file for both languages or one for each, found ${files.length}`,
    where: flag,
  });
}

/** The vocabularies have to be as long as the tables of the model. */
function checkVocabularies(
  weights: ReadonlyMap<string, { shape: readonly number[] }>,
  sizes: Record<(typeof SIDES)[number], number>,
  files: readonly string[],
): void {
  const tables = { source: 'encoder.embed_tokens.weight', target: 'decoder.output_bias' };
  for (const side of SIDES) {
    const rows = weights.get(tables[side])!.shape[0];
    if (rows === sizes[side]) continue;
    throw new UserError({
      problem: `expected a vocabulary of ${rows - IDS_BEFORE} symbols, as the model has, found ${sizes[side] - IDS_BEFORE}`,
      where: side === 'source' ? files[0] : files.at(-1),
      hint: 'Give the vocabularies that the model was trained with.',
    });
  }
}

/** Writes dictionaries and tokenizers as a dataset has them. */
function prepareData(folder: string, vocabularies: readonly string[][], options: MarianImport): void {
  const { vocabs, sourceLang, targetLang } = options;
  const pieces = vocabs.filter((file) => !/\.ya?ml$/i.test(file));
  const given = options.tokenizers ?? (pieces.length === vocabs.length ? pieces : []);
  const tokenizers = given.length === 0 ? undefined : bothOf(given, '--tokenizers');
  [sourceLang, targetLang].forEach((language, i) => {
    const file = path.join(folder, `dict.${language}.txt`);
    const text = vocabularies[i]
      .slice(IDS_BEFORE)
      .map((symbol) => `${symbol} 1\n`)
      .join('');
    Dictionary.parse(Buffer.from(text), vocabs.at(Math.min(i, vocabs.length - 1))!);
    writeFileAtomic(file, text);
    if (tokenizers === undefined) return;
    writeFileAtomic(
      path.join(folder, `tokenizer.${language}.model`),
      Tokenizer.load(tokenizers[i]).serialize(),
    );
  });
}
