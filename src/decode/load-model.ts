import { existsSync } from 'node:fs';
import path from 'node:path';
import { type Checksums, readChecksums } from '../common/checksums.js';
import { UserError } from '../common/errors.js';
import type { DecodingPrecision } from '../common/precision.js';
import type { Config } from '../config/schema.js';
import { Dictionary } from '../data/dictionary.js';
import { reduceWeights, restoreWeights } from '../formats/reduced-weights.js';
import { readReducedWeights, readWeights } from '../formats/weights-file.js';
import { tableNames } from '../model/parameters.js';
import { Transformer, type VocabularySizes } from '../model/transformer.js';
import { Tokenizer } from '../tokenizer/index.js';
import { type CheckpointLocation, type WeightsKind, weightsFile } from './checkpoint-location.js';
import { type Segmenter, TextCodec, whiteSpaceSegmenter } from './text-codec.js';

/**
 * Loads the weights of a run. The caller disposes of the model.
 *
 * @param weights which ones; by default those that the run validates
 * @param precision to translate in; where it is given weights may come from a file of fewer bits. Tables, whose rows are
 *   read as they are, are rounded to it; linear maps round their weights when they are made.
 * @throws UserError when the file is absent or damaged, or the weights are of another shape or vocabulary
 */
export function loadModel(
  { checkpoint }: CheckpointLocation,
  config: Config,
  vocabulary: VocabularySizes,
  weights?: WeightsKind,
  precision?: DecodingPrecision,
): Transformer {
  const file = weightsFile(checkpoint, weights, config.train.validateWeights);
  const name = path.basename(file);
  if (precision === undefined)
    return Transformer.fromWeights(config.model, vocabulary, readWeights(checkpoint, name), file);
  const tensors = readReducedWeights(checkpoint, name);
  const read = tableNames(config.model);
  const tables = new Map([...tensors].filter(([tensor]) => read.has(tensor)));
  const rounded = restoreWeights(reduceWeights(tables, precision), file);
  return Transformer.fromWeights(config.model, vocabulary, new Map([...tensors, ...rounded]), file);
}

type CodecData = Pick<Config['data'], 'sourceLang' | 'targetLang' | 'clean' | 'validTag'>;

/**
 * Dictionaries and tokenizer of a run.
 *
 * @param tag that is put before each source sentence; by default that of the validation text
 * @throws UserError when a file is absent or damaged, or the tag is no piece
 */
export function loadCodec(
  runDirectory: string,
  { sourceLang, targetLang, clean, validTag }: CodecData,
  tag: string | null = null,
): {
  codec: TextCodec;
  dictionaries: { source: Dictionary; target: Dictionary };
  vocabulary: VocabularySizes;
  tokenized: boolean;
} {
  const sums = readChecksums(runDirectory)?.files ?? {};
  const dictionaries = loadDictionaries(runDirectory, { sourceLang, targetLang }, sums);
  const tokenizers = [sourceLang, targetLang].map((language) => loadTokenizer(runDirectory, language, sums));
  const [source, target] = [dictionaries.source, dictionaries.target].map((dictionary, i) => ({
    dictionary,
    segmenter: tokenizers[i] ?? whiteSpaceSegmenter,
  }));
  if ((tokenizers[0] === undefined) !== (tokenizers[1] === undefined)) {
    throw new UserError({
      problem: `expected a tokenizer for both ${sourceLang} and ${targetLang}, found one for ${tokenizers[0] ? sourceLang : targetLang} alone`,
      where: runDirectory,
      hint: 'Copy tokenizer.<lang>.model from the dataset folder into the run directory.',
    });
  }
  return {
    codec: new TextCodec(source, target, clean, tag ?? validTag),
    dictionaries,
    vocabulary: { source: source.dictionary.size, target: target.dictionary.size },
    tokenized: tokenizers[0] !== undefined,
  };
}

/** The dictionaries of a run. @throws UserError when a file is absent or damaged */
export function loadDictionaries(
  runDirectory: string,
  { sourceLang, targetLang }: Pick<Config['data'], 'sourceLang' | 'targetLang'>,
  sums: Checksums['files'] = readChecksums(runDirectory)?.files ?? {},
): { source: Dictionary; target: Dictionary } {
  const load = (language: string) =>
    Dictionary.load(path.join(runDirectory, `dict.${language}.txt`), sums[`dict.${language}.txt`]);
  return { source: load(sourceLang), target: load(targetLang) };
}

/** The tokenizer of one language, or the one of both. */
function loadTokenizer(
  runDirectory: string,
  language: string,
  sums: Checksums['files'],
): Segmenter | undefined {
  const name = [`tokenizer.${language}.model`, 'tokenizer.model'].find((candidate) =>
    existsSync(path.join(runDirectory, candidate)),
  );
  return name === undefined ? undefined : Tokenizer.load(path.join(runDirectory, name), sums[name]);
}
