import type { Config } from '../config/schema.js';
import { pack } from '../data/batch.js';
import type { PairSource } from '../data/batch-iterator.js';
import { lengthBatches } from '../decode/length-batches.js';
import { beamSearch } from '../decode/search.js';
import type { TextCodec } from '../decode/text-codec.js';
import { BLEU, CHRF } from '../metrics/sacrebleu.js';
import { IncrementalDecoder } from '../model/incremental.js';
import type { Transformer } from '../model/transformer.js';
import type { TranslatedValidation, TranslationSample } from '../train/validation.js';

/**
 * Translates a validation split and scores it against its references as text. Dataset ids are decoded to text, so that scores
 * are those of detokenized text up to what the tokenizer normalised. It draws no random numbers.
 *
 * @param split pairs of ids that end in `</s>`
 */
export function validationTranslator(
  { decode, model: { maxPositions }, data, train }: Config,
  split: PairSource,
  codec: TextCodec,
): (model: Transformer) => TranslatedValidation {
  const size = split.sourceLengths.length;
  const order = Array.from({ length: size }, (_, i) => i).filter(
    (i) => split.sourceLengths[i] <= maxPositions,
  );
  const references = order.map((i) => codec.decode(Array.from(split.pair(i).target)));
  const metrics = { bleu: new BLEU({ targetLang: data.targetLang, force: true }), chrf: new CHRF() };
  return (model) => {
    const decoder = new IncrementalDecoder(model);
    const hypotheses = new Array<string>(order.length).fill('');
    try {
      const lengths = order.map((i) => split.sourceLengths[i]);
      for (const places of lengthBatches(lengths, decode)) {
        const sources = places.map((place) => split.pair(order[place]).source);
        const found = beamSearch(decoder, pack(sources), { ...decode, maxPositions });
        places.forEach((place, k) => {
          hypotheses[place] = codec.decode(found[k][0].tokens);
        });
      }
    } finally {
      decoder.dispose();
    }
    const samples = order.slice(0, train.evalSamples).map(
      (i, place): TranslationSample => ({
        source: codec.decodeSource(Array.from(split.pair(i).source)),
        reference: references[place],
        hypothesis: hypotheses[place],
      }),
    );
    return {
      bleu: metrics.bleu.corpusScore(hypotheses, [references]).score,
      chrf: metrics.chrf.corpusScore(hypotheses, [references]).score,
      samples,
    };
  };
}

/** Translates the batch of a validation split that takes most memory: a model that knows nothing goes on to the end. */
export function validationTrial(
  { decode, model: { maxPositions } }: Config,
  split: PairSource,
): (model: Transformer) => void {
  const order = [...split.sourceLengths.keys()].filter((i) => split.sourceLengths[i] <= maxPositions);
  const lengths = order.map((i) => split.sourceLengths[i]);
  const positions = ([longest, ...others]: number[]): number =>
    (1 + others.length) * (decode.maxLenA * lengths[longest] + decode.maxLenB);
  const [largest] = lengthBatches(lengths, decode).sort((a, b) => positions(b) - positions(a));
  return (model) => {
    const decoder = new IncrementalDecoder(model);
    try {
      const sources = largest.map((place) => split.pair(order[place]).source);
      beamSearch(decoder, pack(sources), { ...decode, maxPositions });
    } finally {
      decoder.dispose();
    }
  };
}
