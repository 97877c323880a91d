import { alone } from '../../common/communicator.js';
import { log } from '../../common/log.js';
import type { DecodingPrecision } from '../../common/precision.js';
import { nameScores } from '../../common/validation-figures.js';
import type { Config } from '../../config/schema.js';
import { pack } from '../../data/batch.js';
import type { PairSource } from '../../data/batch-iterator.js';
import { backwards } from '../../data/right-to-left.js';
import { translateIds } from '../../decode/compare-models.js';
import { lengthBatches } from '../../decode/length-batches.js';
import { loadCodec } from '../../decode/load-model.js';
import { roundedModel } from '../../decode/rounded-model.js';
import { beamSearch } from '../../decode/search.js';
import { fitTo } from '../../decode/text-codec.js';
import { IncrementalDecoder } from '../../model/incremental.js';
import type { Transformer } from '../../model/transformer.js';
import type { TranslateValidation, TranslationSample } from '../../train/validation.js';
import { scoreTest, testMetrics } from '../sweep/test-text.js';
import { readValidationText } from './validation-text.js';

const TEXT_IS_GONE = `The validation text is not here: ${nameScores()} are of the text that the dataset has, <unk> unmatched.`;

/**
 * Translates the validation split of a run and scores it: what `translate` makes of the text, by the metrics of the
 * `score` section. It draws no random numbers.
 *
 * The references are the text that the split was made from. Where that is gone, they are the text of the ids: what the
 * tokenizer normalised stays so, and what was unknown to it is matched by nothing.
 *
 * @param split pairs of ids that end in `</s>`, their targets as the model writes them
 * @param communicator of the processes that share the lines out
 */
export async function validationTranslator(
  config: Config,
  split: PairSource,
  communicator = alone,
): Promise<TranslateValidation> {
  const { decode, model, data, train } = config;
  const { maxPositions, rightToLeft } = model;
  const { codec } = loadCodec(train.saveDir, data);
  const metrics = await testMetrics(config);
  const text = await readValidationText(data);
  if (text === null) log.info(TEXT_IS_GONE);
  const pairs = Array.from(split.sourceLengths, (_, i) => {
    const { source, target } = split.pair(i);
    return { source, target: rightToLeft ? backwards(target) : target };
  });
  const sources = text?.source.map((line) => codec.encode(line)) ?? pairs.map(({ source }) => source);
  const references = text?.target ?? pairs.map(({ target }) => codec.decodeReference(target));
  const shown = pairs.slice(0, train.evalSamples).map(
    ({ source, target }, i): Omit<TranslationSample, 'hypothesis'> => ({
      source: text?.source[i] ?? codec.decodeSource(source),
      reference: text?.target[i] ?? codec.decode(target),
    }),
  );
  const filled = [...sources.keys()].filter((i) => sources[i].length > 1); // blank lines stay blank
  const read = filled.map((i) => fitTo(maxPositions, sources[i]));
  return async (transformer) => {
    const { rank, size } = communicator;
    const own = read.filter((_, k) => k % size === rank);
    const translated = await inPrecision(transformer, decode.precision, (model) =>
      translateIds(model, own, { ...decode, maxPositions, rightToLeft }, decode.precision),
    );
    const byRank = communicator.exchange(translated.map((ids) => [...ids]));
    const hypotheses = new Array<string>(sources.length).fill('');
    filled.forEach((i, k) => {
      hypotheses[i] = codec.decode(Int32Array.from(byRank[k % size][Math.floor(k / size)]));
    });
    const samples = shown.map((sample, i) => ({ ...sample, hypothesis: hypotheses[i] }));
    return { ...scoreTest(metrics, { hypotheses, references }), samples };
  };
}

/** Translates the batch of a validation split that takes most memory: a model that knows nothing goes on to the end. */
export function validationTrial(
  { decode, model: { maxPositions } }: Config,
  split: PairSource,
): (model: Transformer) => Promise<void> {
  const lengths = Array.from(split.sourceLengths, (length) => Math.min(length, maxPositions));
  const positions = ([longest, ...others]: number[]): number =>
    (1 + others.length) * (decode.maxLenA * lengths[longest] + decode.maxLenB);
  const [largest] = lengthBatches(lengths, decode).sort((a, b) => positions(b) - positions(a));
  return (transformer) =>
    inPrecision(transformer, decode.precision, async (model) => {
      const decoder = new IncrementalDecoder(model, decode.precision);
      try {
        const sources = largest.map((i) => fitTo(maxPositions, split.pair(i).source));
        await beamSearch(decoder, pack(sources), { ...decode, maxPositions });
      } finally {
        decoder.dispose();
      }
    });
}

/** Does something with a model whose weights are those that `translate` takes in a precision. */
async function inPrecision<T>(
  model: Transformer,
  precision: DecodingPrecision,
  work: (model: Transformer) => Promise<T>,
): Promise<T> {
  if (precision === 'float32') return await work(model);
  const rounded = await roundedModel(model, precision);
  try {
    return await work(rounded);
  } finally {
    rounded.dispose();
  }
}
