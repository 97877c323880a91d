import { setImmediate } from 'node:timers/promises';
import type { DecodingPrecision } from '../common/precision.js';
import { type Batch, packBatch } from '../data/batch.js';
import { EOS } from '../data/dictionary.js';
import { IncrementalDecoder } from '../model/incremental.js';
import type { Transformer } from '../model/transformer.js';
import { PreparedLinear } from '../ops/prepared-linear.js';
import { readAndDispose } from '../ops/reading.js';
import { tf } from '../ops/tf.js';
import { type BatchLimits, lengthBatches } from './length-batches.js';
import type { SearchOptions } from './search.js';
import { plainBeam } from './search-options.js';
import { searchWith } from './sentence-queue.js';

/** Ids of a sentence and its translation, both ending in `</s>`. */
export interface IdPair {
  source: Int32Array;
  target: Int32Array;
}

/** How far two models are apart, in nats. */
export interface LogProbDifference {
  /** Target tokens that were compared, each with its distribution over the whole vocabulary. */
  tokens: number;
  /** The largest |log p − log q| of the target tokens. */
  ofTarget: number;
  /** The largest |log p − log q| of any entry of the vocabulary. */
  ofAny: number;
}

/** Bounds the logits of a batch, [T, V], in memory. */
const LIMITS: BatchLimits = { maxTokens: 512, batchSize: 64 };

/** Compares the log-probabilities that two models of one vocabulary give, the targets being fed to both. */
export async function compareLogProbs(
  first: Transformer,
  second: Transformer,
  pairs: readonly IdPair[],
): Promise<LogProbDifference> {
  const difference = { tokens: 0, ofTarget: 0, ofAny: 0 };
  const lengths = pairs.map(({ source, target }) => Math.max(source.length, target.length));
  for (const places of lengthBatches(lengths, LIMITS)) {
    await setImmediate(); // signals are served here
    const batch = packBatch(
      places,
      places.map((place) => pairs[place]),
      EOS,
    );
    const [p, q] = [await logitsOf(first, batch), await logitsOf(second, batch)];
    const width = first.vocabulary.target;
    batch.targetOutput.forEach((token, row) => {
      const [from, to] = [row * width, (row + 1) * width];
      const apart = differences(p.subarray(from, to), q.subarray(from, to));
      difference.ofTarget = farther(difference.ofTarget, apart(token));
      for (let id = 0; id < width; id++) difference.ofAny = farther(difference.ofAny, apart(id));
    });
    difference.tokens += batch.targetOutput.length;
  }
  return difference;
}

/** The larger distance; NaN is farther than everything. */
const farther = (a: number, b: number): number => (Number.isNaN(b) ? Infinity : Math.max(a, b));

/** |log p − log q| of an entry by its id, from the logits of both. */
function differences(p: Float32Array, q: Float32Array): (id: number) => number {
  const between = logPartition(p) - logPartition(q);
  return (id) => Math.abs(p[id] - q[id] - between);
}

/** log Σ exp */
function logPartition(logits: Float32Array): number {
  let most = -Infinity;
  for (let i = 0; i < logits.length; i++) most = Math.max(most, logits[i]);
  let sum = 0;
  for (let i = 0; i < logits.length; i++) sum += Math.exp(logits[i] - most);
  return most + Math.log(sum);
}

/** Logits of every entry after each target token, [T · V]. */
async function logitsOf(model: Transformer, batch: Batch): Promise<Float32Array> {
  const output = PreparedLinear.of(model.outputWeight(), model.outputBias());
  const logits = tf.tidy(() => {
    const pass = model.pass({ training: null });
    const memory = model.encode(batch.source, pass);
    return output.apply(model.decode(batch.targetInput, memory, batch.source.offsets, pass));
  });
  output.dispose();
  return readAndDispose(logits);
}

/** The best translation of each sentence in a precision: ids that end in `</s>`, in the order of the sentences. */
export async function translateIds(
  model: Transformer,
  sources: readonly Int32Array[],
  options: SearchOptions & BatchLimits,
  precision: DecodingPrecision = 'float32',
): Promise<Int32Array[]> {
  const decoder = new IncrementalDecoder(model, precision);
  const found = new Array<Int32Array>(sources.length);
  try {
    await searchWith(decoder)(sources, plainBeam(options), (place, [{ tokens }]) => {
      found[place] = Int32Array.from(tokens);
    });
  } finally {
    decoder.dispose();
  }
  return found;
}
