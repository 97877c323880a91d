import { UserError } from '../common/errors.js';
import { type Batch, packBatch } from '../data/batch.js';
import { EOS } from '../data/dictionary.js';
import type { Aligned } from './alignment/aligner.js';
import { type BatchLimits, lengthBatches } from './length-batches.js';

/** Natural log-probabilities of the target tokens of a batch, in their order. */
export type ForcedLogProbs = (batch: Batch) => Promise<Float32Array>;

/** A translation that is given. */
export interface GivenTarget {
  /** Target ids that end in `</s>`, or none of a blank line. */
  ids: Int32Array;
  text: string;
}

/** Some translations of one sentence, which are written together when their scores are known. */
export interface GivenUnit {
  /** Source ids that end in `</s>`, or none of a blank line. */
  source: Int32Array;
  targets: readonly GivenTarget[];
  /** The sentence as it was read, where it is known. */
  text?: string;
  /** Its number in a list, from 0; absent of lines that are no translation. */
  sentence?: number;
  /**
   * What is written of it.
   *
   * @param scores of each target
   * @param aligned what each of them gets besides
   * @param order their places as they are to be written; by default as they stand
   */
  write(scores: readonly TargetScore[], aligned?: readonly Aligned[], order?: readonly number[]): string;
}

/** What a model gives a translation. */
export interface TargetScore {
  /** Natural log-probability of each token, `</s>` included; none where the translation is longer than the model can have. */
  logProbs: number[];
  /** Their sum; −∞ where there are none of a translation that is too long. */
  total: number;
}

export interface ForcedOptions extends BatchLimits {
  /** Longest decoder input of the model. */
  maxPositions: number;
  /** Translations to group by length at a time; they bound the memory. */
  block: number;
}

/** A unit whose translations have their scores. */
export interface ScoredUnit {
  unit: GivenUnit;
  scores: TargetScore[];
}

/** Scores translations that are given, in their order. */
export async function* scoreUnits(
  units: AsyncIterable<GivenUnit>,
  logProbs: ForcedLogProbs,
  options: ForcedOptions,
): AsyncGenerator<ScoredUnit[]> {
  let block: GivenUnit[] = [];
  let targets = 0;
  for await (const unit of units) {
    block.push(unit);
    targets += Math.max(1, unit.targets.length);
    if (targets < options.block) continue;
    yield await scoreBlock(block, logProbs, options);
    block = [];
    targets = 0;
  }
  if (block.length > 0) yield await scoreBlock(block, logProbs, options);
}

async function scoreBlock(
  units: readonly GivenUnit[],
  logProbs: ForcedLogProbs,
  options: ForcedOptions,
): Promise<ScoredUnit[]> {
  const scored = units.map((unit) => ({ unit, scores: unit.targets.map((): TargetScore => TOO_LONG) }));
  const pairs = scored.flatMap(({ unit, scores }) =>
    unit.targets.map(({ ids }, place) => ({ source: unit.source, target: ids, scores, place })),
  );
  for (const { source, target, scores, place } of pairs)
    if (source.length === 0 && target.length === 0) scores[place] = NOTHING;
  const possible = pairs
    .filter(({ scores, place, target }) => scores[place] !== NOTHING && target.length <= options.maxPositions)
    .map((pair) => ({ ...pair, source: orEnd(pair.source), target: orEnd(pair.target) }));
  const lengths = possible.map(({ source, target }) => Math.max(source.length, target.length));
  for (const places of lengthBatches(lengths, options)) {
    const inBatch = places.map((place) => possible[place]);
    const batch = packBatch(places, inBatch, EOS);
    const all = await logProbs(batch);
    const { offsets } = batch.targetInput;
    inBatch.forEach(({ scores, place }, i) => {
      scores[place] = scoreOf([...all.subarray(offsets[i], offsets[i + 1])]);
    });
  }
  return scored;
}

/** Of a blank translation of a blank line, as a search gives it. */
const NOTHING: TargetScore = { logProbs: [], total: 0 };

/** A blank line beside one that is not is an end alone. */
const orEnd = (ids: Int32Array): Int32Array => (ids.length === 0 ? Int32Array.of(EOS) : ids);

const TOO_LONG: TargetScore = { logProbs: [], total: Number.NEGATIVE_INFINITY };

/** Summed in the order of a search. */
function scoreOf(logProbs: number[]): TargetScore {
  const total = logProbs.reduce((sum, logProb) => sum + logProb, 0);
  if (!Number.isNaN(total)) return { logProbs, total };
  throw new UserError({
    problem: 'the model gives a translation no probability: it is not a number',
    hint: 'Its training has probably diverged; take an earlier checkpoint.',
  });
}

/** Sums over translations. */
export class ScoreSums {
  sentences = 0;
  /** Of those that are too long for the model, which count nowhere else. */
  tooLong = 0;
  /** `</s>` included. */
  tokens = 0;
  /** Of the text, parted by white space, and an end for each line. */
  words = 0;
  /** Natural log-probability. */
  total = 0;

  /** @param words of the text */
  add({ logProbs, total }: TargetScore, words: number): void {
    if (total === Number.NEGATIVE_INFINITY && logProbs.length === 0) {
      this.tooLong++;
      return;
    }
    this.sentences++;
    this.tokens += logProbs.length;
    this.words += words + 1;
    this.total += total;
  }
}
